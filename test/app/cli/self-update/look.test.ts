import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { viewSelfUpdate } from '../../../../app/updates/view-self-update.ts';
import { PROGRAM } from '../../../../shared/config/program-version.ts';
import { EXIT } from '../../../../shared/contract/exit-codes.ts';
import { NO_POLICY } from '../../../../shared/contract/update-history.ts';
import { publish } from '../../../helpers/release.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';
import { startFakeSupervisor } from '../../updates/fake-supervisor.ts';
import { fakeRelease } from '../../updates/release/release-fixture.ts';
import {
  historyEntry,
  keepProgram,
  makeState,
  openUpdate,
  sha256,
  updateRecord,
  updateStatus,
  writeUpdateFiles,
} from '../../updates/update-fixture.ts';
import { runUpdateCli } from './cli-fixture.ts';

const FAILURE = { code: 'UPDATE_START_FAILED', detail: 'It ended with 1.' } as const;

/** A state directory after some updates. */
function makeUsedState(t: Parameters<typeof makeState>[0]) {
  const paths = makeState(t);
  const bad = { digest: sha256('bad'), version: '1.5.0', count: 2, firstAt: 0, lastAt: 1000 };
  writeUpdateFiles(paths, {
    history: [
      historyEntry(),
      historyEntry({ txn: 'upd_2', outcome: 'rolled-back', to: null, failure: FAILURE }),
    ],
    quarantine: { v: 1, entries: [{ ...bad, failure: FAILURE, txn: 'upd_2' }] },
    policy: {
      ...NO_POLICY,
      hold: { at: 0, by: 'ann', reason: 'bell \u0007 and\nline', automatic: false },
    },
  });
  keepProgram(paths, 'upd_1', { version: '1.0.0' });
  return paths;
}

describe('self-update status', () => {
  test('shows what the supervisor says and what holds updates back', async (t) => {
    const paths = makeUsedState(t);
    const progress = { step: 'downloading', bytes: 1_500_000, total: 80_000_000 } as const;
    const status = updateStatus({ update: openUpdate({ progress, failure: FAILURE }) });
    const { requests } = startFakeSupervisor(t, paths, () => ({ status }));
    const { code, stdout, stderr } = await runUpdateCli(t, paths, ['status']);
    assert.deepEqual([code, stderr, requests[0]?.command], [EXIT.ok, '', 'status']);
    assert.deepEqual(stdout.split('\n'), [
      'supervisor  version 1.0.0, process 4711',
      'updates     possible',
      'hold        since 1970-01-01 00:00:00Z by ann: bell   and line',
      'open        upd_1 staging 1.0.0 -> 2.0.0, since 2023-11-14 22:13:20Z; downloading 1.5 of 80.0 MB; UPDATE_START_FAILED: The new version ended before it was proven. It ended with 1. The log of the service at that time shows why.',
      'last        2023-11-14 22:14:20Z rolled-back 1.0.0 -> ?',
      'quarantine  1.5.0 failed 2x, at last 1970-01-01 00:00:01Z: UPDATE_START_FAILED',
      'go back to  1.0.0 (with its database)',
      '',
    ]);
  });

  test('takes the word of the files where the supervisor is silent, and says so', async (t) => {
    const paths = makeState(t);
    writeUpdateFiles(paths, { record: updateRecord({ state: 'trial' }) });
    const { code, stdout, stderr } = await runUpdateCli(t, paths, ['status']);
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.match(stdout, /^supervisor {2}UPDATE_SUPERVISOR_UNREACHABLE: .* silent for 2 s/);
    assert.match(stdout, /^updates {5}not known$/m);
    assert.match(stdout, /^hold {8}none$/m);
    assert.match(stdout, /^open {8}upd_1 trial 1\.0\.0 -> 2\.0\.0, since 2023-/m);
    assert.match(stdout, /^go back to {2}nothing is kept$/m);
  });

  test('--json is the view that the API gives', async (t) => {
    const paths = makeState(t);
    const status = updateStatus({ unavailable: { code: 'UPDATE_UNAVAILABLE', detail: 'x' } });
    startFakeSupervisor(t, paths, () => ({ status }));
    const { code, stdout } = await runUpdateCli(t, paths, ['status', '--json']);
    assert.equal(code, EXIT.ok);
    const facts = { history: [], quarantine: [], policy: NO_POLICY, retained: [], unreadable: [] };
    const view = viewSelfUpdate({ ...facts, record: { kind: 'none' } }, { status });
    assert.deepEqual(JSON.parse(stdout), view);
  });
});

describe('self-update history', () => {
  test('lists the updates that are over, the newest first, and what can be gone back to', async (t) => {
    const { code, stdout, stderr } = await runUpdateCli(t, makeUsedState(t), ['history']);
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.deepEqual(stdout.split('\n'), [
      'FINISHED              OUTCOME      FROM   TO     TRIGGER  TOOK  UPDATE  FAILURE',
      '2023-11-14 22:14:20Z  rolled-back  1.0.0  ?      cli      60 s  upd_2   UPDATE_START_FAILED',
      '2023-11-14 22:14:20Z  committed    1.0.0  2.0.0  cli      60 s  upd_1',
      'Can be gone back to: 1.0.0 (with its database)',
      '',
    ]);
  });

  test('--limit takes the newest, --json has all of them', async (t) => {
    const paths = makeUsedState(t);
    const { stdout } = await runUpdateCli(t, paths, ['history', '--limit', '1', '--json']);
    const { history, retained } = JSON.parse(stdout);
    assert.deepEqual([history.length, history[0].txn, retained[0].version], [1, 'upd_2', '1.0.0']);
  });

  test('of a host without updates says so', async (t) => {
    const { code, stdout } = await runUpdateCli(t, makeState(t), ['history']);
    const said = 'No update has ended here yet.\nCan be gone back to: nothing is kept\n';
    assert.deepEqual([code, stdout], [EXIT.ok, said]);
  });
});

describe('self-update check', () => {
  test('says which release would be installed, and which were passed over', async (t) => {
    const paths = makeState(t);
    const folder = makeTempFolder(t);
    const bad = fakeRelease(folder, { version: '99.2.0' });
    for (const release of [bad, fakeRelease(folder, { version: '99.1.0' })])
      publish(folder, release);
    const entry = { digest: bad.digest, version: '99.2.0', failure: FAILURE, txn: 'upd_0' };
    writeUpdateFiles(paths, {
      quarantine: { v: 1, entries: [{ ...entry, count: 1, firstAt: 0, lastAt: 0 }] },
    });
    const source = { PODUP_RELEASE_BASE_URL: folder };
    const { code, stdout, stderr } = await runUpdateCli(t, paths, ['check'], source);
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.equal(
      stdout,
      `99.1.0 (v99.1.0) would be installed; ${PROGRAM.version} runs. Passed over, for they failed here: v99.2.0.\n`,
    );
    const forPrograms = await runUpdateCli(t, paths, ['check', '--json'], source);
    assert.deepEqual(JSON.parse(forPrograms.stdout), {
      kind: 'other',
      running: PROGRAM.version,
      version: '99.1.0',
      tag: 'v99.1.0',
      published_at: '2026-11-26T12:00:00Z',
      skipped: ['v99.2.0'],
    });
  });

  test('says why no release can be found', async (t) => {
    const { code, stdout, stderr } = await runUpdateCli(t, makeState(t), ['check']);
    assert.deepEqual([code, stdout], [EXIT.failure, '']);
    assert.match(stderr, /^RELEASE_SOURCE_UNREACHABLE: .*Neither PODUP_RELEASE_REPOSITORY nor/);
  });
});

describe('self-update explain', () => {
  test('says in sentences what is going on, the answer first, with what can be done', async (t) => {
    const paths = makeUsedState(t);
    startFakeSupervisor(t, paths, () => ({ status: updateStatus() }));
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '99.1.0' }));
    const { code, stdout, stderr } = await runUpdateCli(t, paths, ['explain'], {
      PODUP_RELEASE_BASE_URL: folder,
    });
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.match(stdout, /^No update begins: updates are on hold\.\n/);
    assert.match(
      stdout,
      /: ann wanted it, because: bell {3}and line\.\n {2}self-update resume ends/,
    );
    assert.match(stdout, /found 99\.1\.0 \(v99\.1\.0\); 1\.0\.0 runs\.\n/);
    assert.match(stdout, /^The last update, upd_2, ended at 2023-11-14T22:14:20Z: /m);
  });

  test('without a supervisor and the settings of the service it says what it cannot know', async (t) => {
    const { code, stdout } = await runUpdateCli(t, makeState(t), ['explain', '--json']);
    assert.equal(code, EXIT.ok);
    const { sentences } = JSON.parse(stdout) as { sentences: { topic: string; text: string }[] };
    assert.deepEqual(
      sentences.map(({ topic }) => topic),
      ['answer', 'supervisor', 'update', 'schedule', 'release', 'last'],
    );
    assert.match(sentences[0]?.text ?? '', /no supervisor answers/);
  });

  test('a status that cannot be understood is as good as none', async (t) => {
    const paths = makeState(t);
    startFakeSupervisor(t, paths, () => ({ status: { from: 'a newer supervisor' } }));
    const { stdout } = await runUpdateCli(t, paths, ['explain']);
    assert.match(
      stdout,
      /^No supervisor answers\. What it said of itself cannot be understood\. /m,
    );
  });
});
