import { ERRORS } from '../../shared/contract/error-codes.ts';
import type { TaskLogView, TaskUnitView, TaskView } from '../api/views.ts';
import type { TaskLogRow } from '../db/task-logs.ts';
import type { BatchCount } from '../db/task-pages.ts';
import type { TaskRow } from '../db/tasks.ts';
import { TASK_STATUSES, type TaskStatus } from '../domain/task.ts';
import { type TaskInput, workOf } from '../domain/task-input.ts';
import { rightsOf, type TaskLife } from '../domain/task-life.ts';

/** Tasks as the API shows them; `countBatches` is asked once for all of them. */
export function toViews(
  rows: readonly TaskRow[],
  countBatches: (batchIds: readonly string[]) => readonly BatchCount[],
): TaskView[] {
  const batchIds = [...new Set(rows.flatMap(({ batch_id: id }) => id ?? []))];
  const counts = batchIds.length === 0 ? [] : countBatches(batchIds);
  return rows.map((row) => {
    const own = [{ status: row.status, count: 1 }];
    const isOfBatch = row.batch_id !== null;
    return toView(row, isOfBatch ? counts.filter((one) => one.batch_id === row.batch_id) : own);
  });
}

function toView(row: TaskRow, counts: readonly Pick<BatchCount, 'status' | 'count'>[]): TaskView {
  const unit = toUnit(row);
  return {
    task_id: row.id,
    kind: row.kind,
    work: row.input === null ? null : workOf(JSON.parse(row.input) as Partial<TaskInput>),
    ...{ status: row.status, phase: row.phase, unit: row.unit, image: row.image },
    summary: row.summary,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
    started_at: unit.started_at,
    finished_at: unit.finished_at,
    attempts: row.attempts,
    trigger: {
      source: row.trigger_source,
      request_id: row.trigger_request_id,
      path: row.trigger_path,
      caller: row.trigger_caller,
      reason: row.trigger_reason,
    },
    digests: {
      webhook: row.webhook_digest,
      registry: row.registry_digest,
      pulled: row.pulled_digest,
      running: row.running_digest,
    },
    running_image: row.running_image,
    error: unit.error,
    ...{ batch_id: row.batch_id, retry_of: row.retry_of, stop: describeStop(row) },
    waiting: describeWait(row),
    units: [unit],
    unit_counts: sumUp(counts),
    ...rightsOf(lifeOf(row), row.input !== null),
  };
}

/** What of a stored task decides how it may go on. */
export function lifeOf(row: TaskRow): TaskLife {
  return {
    status: row.status,
    attempts: row.attempts,
    deferrals: row.deferrals,
    isClaimed: row.claimed_at !== null,
    isStopRequested: row.stop_requested_at !== null,
  };
}

/** An entry of a log as the API shows it. */
export function toLogView({ id, ts, level, action, summary, meta }: TaskLogRow): TaskLogView {
  const parsed: unknown = meta === null ? null : JSON.parse(meta);
  return { id, ts: isoTime(ts), level, action, summary, meta: parsed };
}

/** A failure as every view shows it. */
export function describeError(
  code: NonNullable<TaskRow['error_code']>,
  detail: string,
): NonNullable<TaskView['error']> {
  const { sentence, hint } = ERRORS[code];
  return { code, sentence, detail, hint };
}

/** A stored moment as every view shows it. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function toUnit(row: TaskRow): TaskUnitView {
  const { started_at: start, finished_at: end } = row;
  return {
    ...{ unit: row.unit, status: row.status, phase: row.phase },
    started_at: start === null ? null : isoTime(start),
    finished_at: end === null ? null : isoTime(end),
    duration_ms: start === null || end === null ? null : end - start,
    message: row.summary,
    error: row.error_code === null ? null : describeError(row.error_code, row.error_detail ?? ''),
  };
}

function describeStop(row: TaskRow): TaskView['stop'] {
  const { stop_requested_at: asked, force_stopped_at: forced } = row;
  if (asked === null && forced === null) return null;
  return {
    requested_at: asked === null ? null : isoTime(asked),
    requested_by: row.stop_requested_by,
    forced_at: forced === null ? null : isoTime(forced),
    forced_by: row.force_stopped_by,
  };
}

function describeWait(row: TaskRow): TaskView['waiting'] {
  if (row.status !== 'pending' || row.not_before === null) return null;
  return { until: isoTime(row.not_before), for: row.waits_for ?? reasonOf(row) };
}

function reasonOf({ rate_limit_waits: waits, phase }: TaskRow) {
  if (waits > 0) return 'registry-limit';
  return phase === 'queued' ? 'deliveries' : 'policy';
}

function sumUp(counts: readonly Pick<BatchCount, 'status' | 'count'>[]): TaskView['unit_counts'] {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  return { total, ...tally(TASK_STATUSES, counts, ({ status }) => status) };
}

/** How many there are of each word of a closed list. */
export function tally<K extends TaskStatus | TaskRow['kind'], C extends { readonly count: number }>(
  words: readonly K[],
  counts: readonly C[],
  wordOf: (count: C) => K,
): { readonly [W in K]: number } {
  const of = (word: K) =>
    counts.filter((one) => wordOf(one) === word).reduce((sum, { count }) => sum + count, 0);
  return Object.fromEntries(words.map((word) => [word, of(word)])) as { [W in K]: number };
}
