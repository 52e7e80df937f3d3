import { createHash } from 'node:crypto';
import { isErrorCode } from '../../shared/contract/error-codes.ts';
import { asObject, parseJson } from '../../shared/contract/read-shape.ts';
import type { FinalTask } from '../db/new-task.ts';
import type { TaskLogRow } from '../db/task-logs.ts';
import { formatIdentifier } from '../domain/identifier.ts';

/** The unit that every self-update is about, whatever it is called on the host. */
const UNIT = 'pod-upgrade-trigger-http.service';

/** Words of runners for a run that came to what it was for; every other word is a failure. */
const GOOD_WORDS = ['succeeded', 'success', 'ok', 'passed'];

/** What is kept of a report in the log of its task. */
const MAX_META_BYTES = 32 * 1024;
const MAX_WORD = 500;
/** What is kept of a report that is too long, beside the end of its output. */
const KEPT_FIELDS = [
  ...['type', 'dry_run', 'started_at', 'finished_at', 'status', 'exit_code', 'binary_path'],
  ...['release_tag', 'runner_host', 'runner_pid', 'txn', 'outcome', 'trigger'],
];
/** Until the year 3000: what is beyond is no number of seconds. */
const MAX_SECONDS = 32_503_680_000;

/** A report as it is imported. */
export type ReportTask = {
  readonly task: FinalTask;
  readonly log: Omit<TaskLogRow, 'id'>;
};

type Report = Readonly<Record<string, unknown>>;

/** The report in a file, with whatever fields it has; undefined where it is none. */
export function parseReport(content: string): Report | undefined {
  const report = asObject(parseJson(content));
  return report?.['type'] === 'self-update-run' ? report : undefined;
}

/**
 * The task that a report becomes. Its id follows from the name of the file alone, so that the same report makes the
 * same task however often it is imported. What a runner has left out is made up for: times by each other or by `nowMs`.
 */
export function toReportTask(fileName: string, report: Report, nowMs: number): ReportTask {
  const started = toMs(report['started_at']);
  const finished = toMs(report['finished_at']);
  const startedAt = started ?? finished ?? nowMs;
  const finishedAt = finished ?? started ?? nowMs;
  const isGood = GOOD_WORDS.includes(toWord(report['status'])?.toLowerCase() ?? '');
  const summary = summarize(report, isGood);
  const id = toId(fileName);
  return {
    task: {
      id,
      kind: 'self-update',
      status: isGood ? 'succeeded' : 'failed',
      unit: UNIT,
      created_at: startedAt,
      started_at: startedAt,
      finished_at: finishedAt,
      summary,
      ...toError(report, isGood),
      trigger_source: 'self-update-runner',
      trigger_request_id: fileName,
      trigger_path: '/self-update-report',
      trigger_caller: toWord(report['runner_host']) ?? null,
      trigger_reason: toWord(report['release_tag']) ?? null,
    },
    log: {
      task_id: id,
      ts: finishedAt,
      level: isGood ? 'info' : 'error',
      action: 'self-update-run',
      summary,
      meta: toMeta(report),
    },
  };
}

/** Sorts by the time that names of reports carry, where this one does. */
function toId(fileName: string): string {
  const seconds = Number(/^self-update-(\d{1,10})-/.exec(fileName)?.[1] ?? 0);
  const random = createHash('sha256').update(fileName).digest();
  return formatIdentifier('tsk', seconds * 1000, random);
}

function summarize(report: Report, isGood: boolean): string {
  const tag = toWord(report['release_tag']);
  const outcome = toWord(report['outcome']);
  const what = report['dry_run'] === true ? 'The dry run of a self-update' : 'The self-update';
  const ended = isGood ? 'succeeded' : 'failed';
  return `${what}${tag ? ` to ${tag}` : ''} ${ended}${outcome ? ` (${outcome})` : ''}.`;
}

function toError(report: Report, isGood: boolean): Pick<FinalTask, 'error_code' | 'error_detail'> {
  const { code, detail } = asObject(report['failure']) ?? {};
  const isKnown = !isGood && typeof code === 'string' && isErrorCode(code);
  return {
    error_code: isKnown ? code : null,
    error_detail: isKnown ? (toWord(detail) ?? '') : null,
  };
}

/** The whole report; of one that is too long the fields that every report has, and as much of its output as fits. */
function toMeta(report: Report): string {
  const whole = JSON.stringify({ dry_run: false, ...report });
  if (Buffer.byteLength(whole) <= MAX_META_BYTES) return whole;
  const kept = KEPT_FIELDS.flatMap((name) => {
    const value = report[name];
    if (typeof value === 'string') return [[name, cut(value)]];
    return typeof value === 'number' || typeof value === 'boolean' ? [[name, value]] : [];
  });
  const short = { dry_run: false, ...Object.fromEntries(kept), is_shortened: true };
  let tail = typeof report['stderr_tail'] === 'string' ? report['stderr_tail'] : '';
  for (;;) {
    const meta = JSON.stringify({ ...short, stderr_tail: tail.toWellFormed() });
    if (Buffer.byteLength(meta) <= MAX_META_BYTES) return meta;
    // The end is what says why.
    tail = tail.slice(Math.ceil(tail.length / 2));
  }
}

function toWord(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? cut(value) : undefined;
}

function cut(text: string): string {
  return text.slice(0, MAX_WORD).toWellFormed();
}

function toMs(value: unknown): number | undefined {
  const isTime = typeof value === 'number' && value >= 0 && value <= MAX_SECONDS;
  return isTime ? Math.floor(value * 1000) : undefined;
}
