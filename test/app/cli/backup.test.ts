import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { credentialState } from '../../helpers/credentials.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

describe('the backup commands', () => {
  test('make, list, verify and put back, and refuse with the reason', async (t) => {
    const stateDir = makeTempFolder(t);
    const paths = statePaths(stateDir);
    const environment = { PODUP_STATE_DIR: stateDir };
    const call = async (...words: string[]) => {
      const ended = await startProgram(t, ['backup', ...words], environment).ended;
      return { ...ended, lines: ended.stdout.trim().split('\n') };
    };

    const none = await call('list');
    assert.deepEqual([none.code, none.stdout.startsWith('There is no backup in ')], [0, true]);
    const nothing = await call('create');
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /^BACKUP_FAILED: /);

    const { store, path } = openTestStore({ after: (act) => t.after(act as () => void) }, stateDir);
    const environmentOfIt = { ...environment, PODUP_DB_URL: path };
    Object.assign(environment, environmentOfIt);
    const created = await call('create');
    assert.equal(created.code, 0, created.stderr);
    const [file = ''] = created.lines;
    assert.ok(file.startsWith(`${paths.databaseBackupsDir}/podup-`));

    const listed = await call('list', '--json');
    const { backups } = JSON.parse(listed.stdout) as { backups: { name: string; file: string }[] };
    assert.deepEqual(
      backups.map((one) => one.file),
      [file],
    );
    const name = backups[0]?.name ?? '';
    assert.match((await call('list')).stdout, new RegExp(`\\n${name}  \\d{4}-`));
    assert.deepEqual((await call('verify')).lines, [`${name}: good`]);

    store.tasks.insert(newTask({ id: 'tsk_late' }));
    store.close();
    const restored = await call('restore', name);
    assert.equal(restored.code, 0, restored.stderr);
    assert.match(restored.stdout, /is in its place[\s\S]*is kept: /);
    const again = openTestStore(t, stateDir);
    assert.equal(again.store.tasks.find('tsk_late'), undefined);

    const missing = await call('restore', 'podup-20200101T000000000Z.db');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^BACKUP_NOT_FOUND: /);
    appendFileSync(file, 'x');
    const spoilt = await call('verify', join(paths.databaseBackupsDir, name));
    assert.equal(spoilt.code, 1);
    assert.match(spoilt.stdout, /BACKUP_DAMAGED/);
  });

  test('say what stays revoked, and what may be good again', async (t) => {
    const stateDir = makeTempFolder(t);
    const { paths, use } = credentialState(stateDir);
    const call = (...words: string[]) =>
      startProgram(t, ['backup', ...words], { PODUP_STATE_DIR: stateDir }).ended;
    use(({ makeToken }) => makeToken('ops'));
    const name = basename((await call('create')).stdout.trim());
    use(({ book }) => assert.ok(book.tokens.revoke('ops', 'admin').ok));
    appendFileSync(join(paths.dataDir, 'revocations.jsonl'), 'not one\n');
    const { code, stdout, stderr } = await call('restore', name);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\n1 tokens, secrets and hooks that were revoked stay so\.\n/);
    assert.match(stderr, /^1 lines of revocations\.jsonl.* may be good again\.$/m);
    const { revoked, unread_revocations } = JSON.parse(
      (await call('restore', name, '--json')).stdout,
    );
    assert.deepEqual([revoked, unread_revocations], [1, 1]);
  });
});
