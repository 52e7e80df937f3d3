import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { realFiles } from '../../shared/fs/files.ts';
import { writeRecord } from '../../supervisor/record/record-store.ts';
import { RECORD } from './core/update/fixture.ts';
import { DATABASE, makeInstalled } from './installed-program.ts';
import { damages, untouched } from './record/damaged-record.ts';

type Installed = ReturnType<typeof makeInstalled>;

/** Starts the service on what lies there: it has to serve at the first attempt, and to end well. */
async function serveOnce({ start, paths }: Installed) {
  const { mtimeMs } = statSync(paths.database);
  const supervisor = start();
  const port = await supervisor.port();
  await supervisor.next('worker ready');
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  assert.equal(await answer.text(), 'http-server');
  supervisor.child.kill('SIGTERM');
  assert.equal((await supervisor.ended()).code, 0);
  await supervisor.silent;
  assert.equal(supervisor.lines.filter(({ msg }) => msg === 'worker started').length, 1);
  assert.equal(readFileSync(paths.database, 'utf8'), DATABASE);
  assert.equal(statSync(paths.database).mtimeMs, mtimeMs);
  return supervisor;
}

/** A host on which an update was open in the middle of its trial, with the counter of the launcher. */
function makeHost(context: TestContext): Installed {
  const installed = makeInstalled(context);
  writeRecord(installed.paths.updateRecord, { ...RECORD, state: 'trial' }, realFiles);
  writeFileSync(installed.program.tries, '0\n');
  return installed;
}

function asides({ paths }: Installed): readonly string[] {
  const start = `${basename(paths.updateRecord)}.bad-`;
  return readdirSync(paths.dataDir).filter((name) => name.startsWith(start));
}

describe('supervise: a record that a crash or a hand has spoilt', { concurrency: 4 }, () => {
  for (const [title, damage] of damages()) {
    test(`${title}: the program serves, and the record is kept aside`, async (t) => {
      const installed = makeHost(t);
      const { paths, program } = installed;
      const bytes = Buffer.from(damage(readFileSync(paths.updateRecord)));
      writeFileSync(paths.updateRecord, bytes);
      const { lines } = await serveOnce(installed);
      const told = lines.filter(({ msg }) => msg.startsWith('the update record was broken'));
      assert.equal(told.length, 1);
      const [aside, ...more] = asides(installed);
      assert.deepEqual(more, []);
      assert.deepEqual(readFileSync(`${paths.dataDir}/${aside}`), bytes);
      assert.equal(existsSync(paths.updateRecord), false);
      assert.equal(existsSync(program.tries), false);
    });
  }

  test('of a newer program: the program serves, and the record stays as it is', async (t) => {
    const installed = makeHost(t);
    const { paths, program } = installed;
    writeFileSync(paths.updateRecord, untouched());
    const { lines } = await serveOnce(installed);
    assert.equal(lines.filter(({ code }) => code === 'UPDATE_RECORD_NEWER').length, 1);
    assert.equal(readFileSync(paths.updateRecord, 'utf8'), untouched());
    assert.deepEqual(asides(installed), []);
    assert.equal(existsSync(program.tries), true);
  });

  test('a second start after it is like any other', async (t) => {
    const installed = makeHost(t);
    writeFileSync(installed.paths.updateRecord, 'torn');
    await serveOnce(installed);
    const { lines } = await serveOnce(installed);
    assert.equal(asides(installed).length, 1);
    assert.equal(
      lines.some(({ level }) => level === 'error'),
      false,
    );
  });
});
