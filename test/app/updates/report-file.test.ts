import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTaskId } from '../../../app/domain/identifier.ts';
import { parseReport, toReportTask } from '../../../app/updates/report-file.ts';
import { formatUpdateReport } from '../../../shared/contract/update-report.ts';
import { historyEntry } from './update-fixture.ts';

const NAME = 'self-update-1700000000-4711.json';
const NOW = 1_800_000_000_000;

/** What a runner writes at least. */
const MINIMAL = {
  type: 'self-update-run',
  started_at: 1_700_000_000,
  finished_at: 1_700_000_060,
  status: 'succeeded',
  exit_code: 0,
  binary_path: '/home/ann/.local/bin/pod-upgrade-trigger',
  release_tag: 'v1.2.3',
  stderr_tail: '',
  runner_host: 'host-1',
  runner_pid: 4711,
};

describe('parseReport', () => {
  for (const [title, content] of [
    ['nothing', ''],
    ['half of one', JSON.stringify(MINIMAL).slice(0, 60)],
    ['a list', '[]'],
    ['no type', '{"status":"succeeded"}'],
    ['another type', '{"type":"image-update"}'],
  ] as const) {
    test(`${title} is no report`, () => assert.equal(parseReport(content), undefined));
  }

  test('an object of the type is one, whatever else it has', () => {
    assert.deepEqual(parseReport('{"type":"self-update-run","x":1}'), {
      type: 'self-update-run',
      x: 1,
    });
  });
});

describe('toReportTask', () => {
  test('makes a task that is over, and an entry of its log with the report', () => {
    const { task, log } = toReportTask(NAME, MINIMAL, NOW);
    assert.ok(isTaskId(task.id), task.id);
    assert.deepEqual(task, {
      id: task.id,
      kind: 'self-update',
      status: 'succeeded',
      unit: 'pod-upgrade-trigger-http.service',
      created_at: 1_700_000_000_000,
      started_at: 1_700_000_000_000,
      finished_at: 1_700_000_060_000,
      summary: 'The self-update to v1.2.3 succeeded.',
      error_code: null,
      error_detail: null,
      trigger_source: 'self-update-runner',
      trigger_request_id: NAME,
      trigger_path: '/self-update-report',
      trigger_caller: 'host-1',
      trigger_reason: 'v1.2.3',
    });
    const { meta, ...rest } = log;
    assert.deepEqual(rest, {
      task_id: task.id,
      ts: 1_700_000_060_000,
      level: 'info',
      action: 'self-update-run',
      summary: 'The self-update to v1.2.3 succeeded.',
    });
    assert.deepEqual(JSON.parse(meta ?? ''), { ...MINIMAL, dry_run: false });
  });

  test('takes over what our own supervisor knows of a failure', () => {
    const failure = { code: 'UPDATE_START_FAILED', detail: 'It ended with 1.' } as const;
    const entry = historyEntry({ outcome: 'rolled-back', failure });
    const facts = { binaryPath: '/x', host: 'h', pid: 1, dryRun: true };
    const { task, log } = toReportTask(NAME, formatUpdateReport(entry, facts), NOW);
    assert.equal(task.status, 'failed');
    assert.equal(task.summary, 'The dry run of a self-update to v2.0.0 failed (rolled-back).');
    assert.deepEqual([task.error_code, task.error_detail], [failure.code, failure.detail]);
    assert.equal(log.level, 'error');
    assert.equal(JSON.parse(log.meta ?? '').dry_run, true);
  });

  test('has the same id for the same file, another for every other, and sorts by its time', () => {
    const idOf = (name: string, report = {}) => toReportTask(name, report, NOW).task.id;
    assert.equal(idOf(NAME), idOf(NAME, MINIMAL));
    assert.notEqual(idOf(NAME), idOf('self-update-1700000000-4712.json'));
    assert.ok(idOf('self-update-1700000001-1.json') > idOf(NAME));
    assert.ok(idOf('self-update-9999999999-1.json') > idOf(NAME));
    for (const name of ['by hand.json', 'self-update-999999999999999-1.json']) {
      assert.ok(isTaskId(idOf(name)), name);
    }
  });

  for (const [word, status] of [
    ['success', 'succeeded'],
    ['ok', 'succeeded'],
    ['passed', 'succeeded'],
    ['OK', 'succeeded'],
    ['failed', 'failed'],
    ['perhaps', 'failed'],
    [undefined, 'failed'],
    [0, 'failed'],
  ] as const) {
    test(`the status ${word} is ${status}`, () => {
      assert.equal(toReportTask(NAME, { ...MINIMAL, status: word }, NOW).task.status, status);
    });
  }

  for (const [title, times, expected] of [
    ['no times', {}, [NOW, NOW]],
    ['only a start', { started_at: 5 }, [5_000, 5_000]],
    ['only an end', { finished_at: 7 }, [7_000, 7_000]],
    ['parts of a second', { started_at: 5.25, finished_at: 7.5 }, [5_250, 7_500]],
    ['times that are none', { started_at: 'x', finished_at: -1 }, [NOW, NOW]],
    ['milliseconds', { started_at: 1_700_000_000_000_000, finished_at: 7 }, [7_000, 7_000]],
  ] as const) {
    test(`a report with ${title} gets what makes most sense`, () => {
      const { task } = toReportTask(NAME, { type: 'self-update-run', ...times }, NOW);
      assert.deepEqual([task.started_at, task.finished_at], expected);
      assert.equal(task.created_at, task.started_at);
    });
  }

  test('fields of the wrong kind are as good as missing', () => {
    const odd = { type: 'self-update-run', release_tag: 7, runner_host: null, failure: 'no' };
    const { task } = toReportTask(NAME, odd, NOW);
    assert.deepEqual(
      [task.trigger_reason, task.trigger_caller, task.error_code],
      [null, null, null],
    );
    assert.equal(task.summary, 'The self-update failed.');
    const unknown = { ...odd, failure: { code: 'NEWER_THAN_US', detail: 'x' } };
    assert.equal(toReportTask(NAME, unknown, NOW).task.error_code, null);
    const failure = { code: 'UPDATE_START_FAILED', detail: 'x' };
    assert.equal(toReportTask(NAME, { ...MINIMAL, failure }, NOW).task.error_code, null);
  });

  for (const [title, filling] of [
    ['plain', 'x'],
    ['what grows when it is written', '\u0000'],
    ['beyond ASCII', '€'],
    ['halves of characters', '\ud800'],
  ] as const) {
    test(`of a report that is too long the end of its output is kept: ${title}`, () => {
      const long = { ...MINIMAL, stderr_tail: `${filling.repeat(100_000)}the end`, more: [1, 2] };
      const { log } = toReportTask(NAME, { ...long, runner_host: 'h'.repeat(10_000) }, NOW);
      assert.ok(Buffer.byteLength(log.meta ?? '') <= 32 * 1024);
      assert.ok(Buffer.byteLength(log.meta ?? '') > 12 * 1024);
      const { stderr_tail, is_shortened, exit_code, more, runner_host } = JSON.parse(
        log.meta ?? '',
      );
      assert.match(stderr_tail, /the end$/);
      assert.deepEqual([is_shortened, exit_code, more], [true, 0, undefined]);
      assert.equal(runner_host, 'h'.repeat(500));
    });
  }
});
