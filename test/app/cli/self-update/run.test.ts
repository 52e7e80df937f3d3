import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { describe, test } from 'node:test';
import { lookUntil } from '../../../../app/updates/look-until.ts';
import { EXIT } from '../../../../shared/contract/exit-codes.ts';
import type { UpdateHistoryEntry } from '../../../../shared/contract/update-history.ts';
import { startFakeSupervisor } from '../../updates/fake-supervisor.ts';
import {
  historyEntry,
  makeState,
  release,
  updateRecord,
  writeUpdateFiles,
} from '../../updates/update-fixture.ts';
import { runUpdateCli, startUpdateCli } from './cli-fixture.ts';

const FAILURE = { code: 'UPDATE_START_FAILED', detail: 'It ended with 1.' } as const;

describe('self-update run', () => {
  test('has an update begin, with everything that was asked for', async (t) => {
    const paths = makeState(t);
    const { requests } = startFakeSupervisor(t, paths, () => ({ txn: 'upd_7' }));
    const words = ['run', '--dry-run', '--tag', 'v2.0.0', '--force', '--reason', 'because'];
    const { code, stdout, stderr } = await runUpdateCli(t, paths, words);
    assert.deepEqual(
      [code, stdout, stderr],
      [EXIT.ok, 'upd_7 has begun; self-update status shows how it goes.\n', ''],
    );
    assert.equal(requests.length, 1);
    const { id: _id, at: _at, ...asked } = requests[0] ?? {};
    assert.deepEqual(asked, {
      command: 'run',
      trigger: 'cli',
      by: userInfo().username,
      reason: 'because',
      dryRun: true,
      tag: 'v2.0.0',
      force: true,
      version: null,
      restoreDatabase: false,
      pid: null,
    });
  });

  test('two at once are both answered, each for itself', async (t) => {
    const paths = makeState(t);
    const failure = { code: 'UPDATE_IN_PROGRESS', detail: 'upd_1 is staging.' } as const;
    let isFirst = true;
    startFakeSupervisor(t, paths, () => {
      const said = isFirst ? { txn: 'upd_1' } : { failure };
      isFirst = false;
      return said;
    });
    // What lies there already is no request: it is thrown away, and the two come after it.
    writeFileSync(paths.updateRequest, '{"id":"half');
    const ended = await Promise.all([
      runUpdateCli(t, paths, ['run', '--json']),
      runUpdateCli(t, paths, ['run', '--json']),
    ]);
    const [good, bad] = ended.toSorted((a, b) => Number(a.code) - Number(b.code));
    assert.deepEqual([good?.code, JSON.parse(good?.stdout ?? '')], [0, { txn: 'upd_1' }]);
    assert.equal(bad?.code, EXIT.failure);
    assert.equal(JSON.parse(bad?.stdout ?? '').failure.code, 'UPDATE_IN_PROGRESS');
    assert.match(bad?.stderr ?? '', /^UPDATE_IN_PROGRESS: An update is open already\. upd_1 is st/);
  });

  test('where no supervisor has ever run it fails at once', async (t) => {
    const paths = makeState(t);
    rmSync(paths.dataDir, { recursive: true });
    const { code, stdout, stderr } = await runUpdateCli(t, paths, ['run']);
    assert.deepEqual([code, stdout], [EXIT.failure, '']);
    assert.match(
      stderr,
      /^UPDATE_SUPERVISOR_UNREACHABLE: No supervisor answers\. .* does not exist/,
    );
  });

  test('whoever interrupts it has taken the request back', async (t) => {
    const paths = makeState(t);
    const { child, ended } = startUpdateCli(t, paths, ['run']);
    const limit = AbortSignal.timeout(20_000);
    const look = () => existsSync(paths.updateRequest) || undefined;
    assert.ok(await lookUntil({ folder: paths.dataDir }, limit, look));
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, EXIT.failure);
    assert.match(stderr, /nobody wanted to wait any longer/);
    assert.deepEqual(readdirSync(paths.dataDir), ['update-answers']);
  });

  test('a wrong configuration ends it with 78', async (t) => {
    const paths = makeState(t);
    const { code, stderr } = await runUpdateCli(t, paths, ['run'], { PODUP_LOG_LEVEL: 'loud' });
    assert.equal(code, EXIT.configInvalid);
    assert.match(stderr, /PODUP_LOG_LEVEL: "loud"/);
  });
});

describe('self-update run --wait', () => {
  /** A supervisor that begins an update; gives how it ends it. */
  function startUpdating(
    t: Parameters<typeof makeState>[0],
    paths: ReturnType<typeof makeState>,
    end: Partial<UpdateHistoryEntry>,
  ): () => void {
    startFakeSupervisor(t, paths, () => {
      writeUpdateFiles(paths, { record: updateRecord({ state: 'staging' }) });
      return { txn: 'upd_1' };
    });
    return () => {
      writeUpdateFiles(paths, { history: [historyEntry(end)] });
      rmSync(paths.updateRecord);
    };
  }

  for (const [outcome, said] of [
    ['committed', /upd_1: 2\.0\.0 is installed; it was 1\.0\.0\.\n$/],
    ['current', /upd_1: 1\.0\.0 runs already\.\n$/],
    ['dry-run', /upd_1: 2\.0\.0 could be installed; nothing was changed\.\n$/],
  ] as const) {
    test(`ends with 0 when the update is ${outcome}`, async (t) => {
      const paths = makeState(t);
      const end = startUpdating(t, paths, { outcome });
      const { child, ended } = startUpdateCli(t, paths, ['run', '--wait']);
      child.stdout?.once('data', end);
      const { code, stdout, stderr } = await ended;
      assert.deepEqual([code, stderr], [EXIT.ok, '']);
      assert.match(stdout, said);
      assert.match(stdout, /^upd_1 staging\n/);
    });
  }

  test('ends with 1 and why when the update went back, for a program in JSON', async (t) => {
    const paths = makeState(t);
    startFakeSupervisor(t, paths, () => {
      const entry = historyEntry({ outcome: 'rolled-back', failure: FAILURE });
      writeUpdateFiles(paths, { history: [entry] });
      return { txn: 'upd_1' };
    });
    const { code, stdout, stderr } = await runUpdateCli(t, paths, ['run', '--wait', '--json']);
    assert.equal(code, EXIT.failure);
    assert.match(stderr, /^UPDATE_START_FAILED: The new version ended before it was proven\. It/);
    const { outcome, to, failure } = JSON.parse(stdout);
    assert.deepEqual(
      [outcome, to, failure.code],
      ['rolled-back', release('2.0.0'), 'UPDATE_START_FAILED'],
    );
  });

  test('ends with 1 when neither version runs', async (t) => {
    const paths = makeState(t);
    const failure = { code: 'UPDATE_ROLLBACK_FAILED', detail: 'The old one fails too.' } as const;
    startFakeSupervisor(t, paths, () => {
      writeUpdateFiles(paths, { record: updateRecord({ state: 'held', failure }) });
      return { txn: 'upd_1' };
    });
    const { code, stdout, stderr } = await runUpdateCli(t, paths, ['run', '--wait']);
    assert.deepEqual([code, stdout], [EXIT.failure, 'upd_1 held\n']);
    assert.match(stderr, /^UPDATE_ROLLBACK_FAILED: .* The old one fails too\./);
  });
});
