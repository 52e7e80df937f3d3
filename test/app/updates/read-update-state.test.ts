import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readUpdateState } from '../../../app/updates/read-update-state.ts';
import { NO_POLICY } from '../../../shared/contract/update-history.ts';
import {
  historyEntry,
  keepProgram,
  makeState,
  release,
  sha256,
  updateRecord,
  writeUpdateFiles,
} from './update-fixture.ts';

/** Sets when a program was kept; its program.json says so. */
function datedAt(folder: string, seconds: number): void {
  utimesSync(`${folder}/program.json`, seconds, seconds);
}

describe('readUpdateState', () => {
  test('a host that has not seen an update has nothing to tell', async (t) => {
    const paths = makeState(t);
    rmSync(paths.dataDir, { recursive: true });
    assert.deepEqual(await readUpdateState(paths), {
      record: { kind: 'none' },
      history: [],
      quarantine: [],
      policy: NO_POLICY,
      retained: [],
      unreadable: [],
    });
  });

  test('reads record, history, quarantine and policy', async (t) => {
    const paths = makeState(t);
    const record = updateRecord({ state: 'trial' });
    const history = [historyEntry({ txn: 'upd_0' }), historyEntry({ outcome: 'rolled-back' })];
    const bad = {
      digest: sha256('bad'),
      version: '1.5.0',
      failure: { code: 'UPDATE_START_FAILED', detail: 'It ended with 1.' },
      count: 2,
      firstAt: 1,
      lastAt: 2,
      txn: 'upd_0',
    };
    const hold = { at: 5, by: 'ann', reason: 'holidays', automatic: false };
    const policy = { ...NO_POLICY, hold, lastGood: release('1.0.0') };
    writeUpdateFiles(paths, { record, history, quarantine: { v: 1, entries: [bad] }, policy });
    const state = await readUpdateState(paths);
    assert.deepEqual(state.record, { kind: 'record', record });
    assert.deepEqual(state.history, history);
    assert.deepEqual(state.quarantine, [bad]);
    assert.deepEqual(state.policy, policy);
    assert.deepEqual(state.unreadable, []);
  });

  test('what cannot be made sense of is named and the rest is read all the same', async (t) => {
    const paths = makeState(t);
    writeFileSync(paths.updateRecord, '{"v":1,"txn":"upd_');
    mkdirSync(paths.updateHistory);
    writeFileSync(paths.quarantine, '[]');
    writeUpdateFiles(paths, { policy: { ...NO_POLICY, generationFloor: 7 } });
    const folder = keepProgram(paths, 'upd_1', { version: '1.0.0' });
    writeFileSync(`${folder}/program.json`, '{"version":"1.0.0"}');
    const state = await readUpdateState(paths);
    assert.equal(state.record.kind, 'broken');
    assert.equal(state.policy.generationFloor, 7);
    assert.deepEqual([state.history, state.quarantine, state.retained], [[], [], []]);
    assert.deepEqual(state.unreadable, [
      `${paths.updateHistory}: EISDIR`,
      `${paths.quarantine}: it is not what it should be`,
      `${folder}/program.json: it is not what it should be`,
    ]);
  });

  test('a record of a newer program is said to be newer', async (t) => {
    const paths = makeState(t);
    writeUpdateFiles(paths, { record: updateRecord({ v: 2 }) });
    const { record } = await readUpdateState(paths);
    assert.deepEqual(record, { kind: 'newer', v: 2 });
  });

  test('of a file that is larger than it can be nothing is read', async (t) => {
    const paths = makeState(t);
    writeFileSync(paths.updateRecord, ' '.repeat(512 * 1024 + 1));
    writeFileSync(paths.quarantine, `${' '.repeat(1024 * 1024)}{"v":1,"entries":[]}`);
    const state = await readUpdateState(paths);
    assert.match(JSON.stringify(state.record), /"broken".*524289 bytes/);
    assert.match(state.unreadable.join(), /quarantine\.json: it has 1048596 bytes/);
  });

  test('of a very long history the end is read, from the first whole line on', async (t) => {
    const paths = makeState(t);
    const line = (txn: string) => `${JSON.stringify(historyEntry({ txn }))}\n`;
    const count = Math.ceil((5 * 1024 * 1024) / line('upd_0').length);
    const ids = Array.from({ length: count }, (_, index) => `upd_${index}`);
    writeFileSync(paths.updateHistory, ids.map(line).join(''));
    appendFileSync(paths.updateHistory, line('upd_torn').slice(0, 100));
    const { history } = await readUpdateState(paths);
    assert.equal(history.at(-1)?.txn, `upd_${count - 1}`);
    assert.ok(history.length > 1000 && history.length < count, `${history.length} of ${count}`);
    assert.deepEqual(
      history.map(({ txn }) => txn),
      ids.slice(-history.length),
    );
  });
});

describe('the versions that can be gone back to', () => {
  test('are the kept programs, the newest first, with their databases', async (t) => {
    const paths = makeState(t);
    datedAt(keepProgram(paths, 'upd_1', { version: '1.0.0', hasDatabase: false }), 1000);
    datedAt(keepProgram(paths, 'upd_2', { version: '2.0.0' }), 2000);
    const { retained } = await readUpdateState(paths);
    assert.deepEqual(retained, [
      {
        release: release('2.0.0'),
        file: `${paths.backupsDir}/upd_2/program`,
        txn: 'upd_2',
        hasDatabase: true,
        bytes: 5,
        keptAt: 2_000_000,
      },
      {
        release: release('1.0.0'),
        file: `${paths.backupsDir}/upd_1/program`,
        txn: 'upd_1',
        hasDatabase: false,
        bytes: 5,
        keptAt: 1_000_000,
      },
    ]);
  });

  test('name a program once, as the newest update kept it', async (t) => {
    const paths = makeState(t);
    for (const txn of ['upd_1', 'upd_3', 'upd_2']) keepProgram(paths, txn, { version: '1.0.0' });
    const { retained } = await readUpdateState(paths);
    assert.deepEqual(
      retained.map(({ txn }) => txn),
      ['upd_3'],
    );
  });

  test('have no database where nothing says that one was kept', async (t) => {
    const paths = makeState(t);
    rmSync(`${keepProgram(paths, 'upd_1', { version: '1.0.0' })}/backup.json`);
    const { retained, unreadable } = await readUpdateState(paths);
    assert.deepEqual([retained[0]?.hasDatabase, unreadable], [false, []]);
  });

  test('leave out folders without a program or without a word of what it is', async (t) => {
    const paths = makeState(t);
    rmSync(`${keepProgram(paths, 'upd_1', { version: '1.0.0' })}/program`);
    rmSync(`${keepProgram(paths, 'upd_2', { version: '2.0.0' })}/program.json`);
    writeFileSync(`${paths.backupsDir}/a file`, '');
    const { retained, unreadable } = await readUpdateState(paths);
    assert.deepEqual([retained, unreadable], [[], []]);
  });
});
