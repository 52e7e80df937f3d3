import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UPDATE_OUTCOMES } from '../../../shared/contract/update-history.ts';
import { formatUpdateReport } from '../../../shared/contract/update-report.ts';
import { historyEntry, release } from '../../app/updates/update-fixture.ts';

const FACTS = { binaryPath: '/home/ann/bin/program', host: 'host-1', pid: 4711, dryRun: false };

describe('formatUpdateReport', () => {
  test('has the fields that runners have always written, with times in whole seconds', () => {
    const entry = historyEntry({ startedAt: 1_700_000_000_999, finishedAt: 1_700_000_060_001 });
    const report = formatUpdateReport(entry, FACTS);
    assert.deepEqual(Object.entries(report).slice(0, 11), [
      ['type', 'self-update-run'],
      ['dry_run', false],
      ['started_at', 1_700_000_000],
      ['finished_at', 1_700_000_060],
      ['status', 'succeeded'],
      ['exit_code', 0],
      ['binary_path', '/home/ann/bin/program'],
      ['release_tag', 'v2.0.0'],
      ['stderr_tail', ''],
      ['runner_host', 'host-1'],
      ['runner_pid', 4711],
    ]);
  });

  test('tells the update itself behind them', () => {
    const failure = { code: 'UPDATE_START_FAILED', detail: 'It ended with 1.' } as const;
    const entry = historyEntry({
      outcome: 'rolled-back',
      failure,
      request: { id: 'r', trigger: 'cron', by: 'ann' },
      databaseRestored: true,
      warnings: ['the clock was wrong'],
    });
    const report = formatUpdateReport(entry, { ...FACTS, dryRun: true });
    assert.equal(report.dry_run, true);
    assert.match(report.stderr_tail, /^UPDATE_START_FAILED: .* It ended with 1\. /);
    const { txn, kind, outcome, from, to, trigger, by, database_restored, steps, warnings } =
      report;
    assert.deepEqual(
      { txn, kind, outcome, from, to, trigger, by, database_restored, steps, warnings },
      {
        txn: 'upd_1',
        kind: 'release',
        outcome: 'rolled-back',
        from: release('1.0.0'),
        to: release('2.0.0'),
        trigger: 'cron',
        by: 'ann',
        database_restored: true,
        steps: entry.steps,
        warnings: ['the clock was wrong'],
      },
    );
    assert.deepEqual(report.failure, failure);
  });

  test('succeeded is what came to what it was for, and nothing else', () => {
    const ended = UPDATE_OUTCOMES.map((outcome) => {
      const { status, exit_code } = formatUpdateReport(historyEntry({ outcome }), FACTS);
      return `${outcome}: ${status} ${exit_code}`;
    });
    assert.deepEqual(ended, [
      'committed: succeeded 0',
      'rolled-back: failed 1',
      'failed: failed 1',
      'cancelled: failed 1',
      'current: succeeded 0',
      'dry-run: succeeded 0',
      'superseded: failed 1',
    ]);
  });

  test('a release without a tag is called by its version, and one that was never chosen not at all', () => {
    const untagged = historyEntry({ to: release('2.0.0', { tag: null }) });
    assert.equal(formatUpdateReport(untagged, FACTS).release_tag, '2.0.0');
    assert.equal(formatUpdateReport(historyEntry({ to: null }), FACTS).release_tag, null);
  });
});
