import assert from 'node:assert/strict';
import { existsSync, globSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { digestOf } from '../helpers/update-checks.ts';
import { makeInstallation, onReady, readSchema } from './fault-fixture.ts';

const FORBIDDING = `migration:${NEXT_MIGRATION}:must-not-run` as const;

/** A folder on another file system than the one of temporary files. */
function makeElsewhere(t: TestContext, than: string): string {
  const folder = mkdtempSync('/dev/shm/podup-');
  t.after(() => rmSync(folder, { recursive: true }));
  assert.notEqual(statSync(folder).dev, statSync(than).dev, '/dev/shm is a file system of its own');
  return folder;
}

describe('files on several file systems', () => {
  test('the state lies elsewhere than the program: update, and going back to the program that was kept', async (t) => {
    await using installation = await makeInstallation();
    symlinkSync(makeElsewhere(t, installation.folder), installation.paths.stateDir);
    const first = digestOf(installation.program.target);
    const service = installation.start();
    await service.ready();
    await installation.offer({ version: '1.1.0' });
    assert.equal((await installation.update()).outcome, 'committed');
    const [kept = ''] = globSync(`${installation.paths.backupsDir}/*/program`);
    assert.equal(digestOf(kept), first);
    rmSync(installation.program.old);
    const { txn } = await installation.ask({ command: 'rollback', version: '1.0.0' });
    assert.equal((await installation.finished(txn ?? '')).outcome, 'committed');
    assert.equal(digestOf(installation.program.target), first);
    assert.equal(await service.version(), '1.0.0');
  });

  test('the database lies elsewhere than the state: it is put back, and the failed one kept beside it', async (t) => {
    await using installation = await makeInstallation();
    const folder = makeElsewhere(t, installation.folder);
    const database = join(folder, 'service.db');
    const service = installation.start({ PODUP_DB_URL: `sqlite://${database}` });
    await service.ready();
    await installation.offer({
      version: '1.1.0',
      break: FORBIDDING,
      prologue: onReady('process.exit(78);'),
    });
    const { outcome, databaseRestored, txn } = await installation.update();
    assert.deepEqual([outcome, databaseRestored], ['rolled-back', true]);
    assert.equal(await service.version(), '1.0.0');
    assert.equal(readSchema({ paths: { database } }), NEXT_MIGRATION - 1);
    assert.equal(readSchema({ paths: { database: `${database}.failed.${txn}` } }), NEXT_MIGRATION);
    assert.equal(existsSync(installation.paths.database), false);
  });
});
