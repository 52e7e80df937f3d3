import { ERRORS } from '../../shared/contract/error-codes.ts';
import type { DeliveryView, Page, TaskDetailView, TaskView } from '../api/views.ts';
import type { Store } from '../db/store.ts';
import type { TaskFilter, TaskRow } from '../db/tasks.ts';
import { viewLog } from './view-log.ts';

/** One page of tasks. */
export function listTasks(store: Store, filter: TaskFilter): Page<'tasks', TaskView> {
  const rows = store.tasks.list({ ...filter, limit: filter.limit + 1 });
  const page = rows.slice(0, filter.limit);
  const last = page.at(-1);
  return {
    tasks: page.map(viewTask),
    next_cursor: rows.length > page.length && last ? `${last.created_at}.${last.id}` : null,
  };
}

/** The position that a cursor of `listTasks` stands for. */
export function parseTaskCursor(cursor: string): { createdAt: number; id: string } {
  const dot = cursor.indexOf('.');
  return { createdAt: Number(cursor.slice(0, dot)), id: cursor.slice(dot + 1) };
}

/** A task with its deliveries and its log; undefined where there is none of that id. */
export function readTask(store: Store, id: string): TaskDetailView | undefined {
  const row = store.tasks.find(id);
  if (!row) return undefined;
  return {
    ...viewTask(row),
    deliveries: store.deliveries.listByTask(id).map(
      (delivery): DeliveryView => ({
        id: delivery.id,
        received_at: isoTime(delivery.received_at),
        source: delivery.source,
        delivery: delivery.delivery,
        event: delivery.event,
        matched: delivery.matched,
        digest: delivery.digest,
      }),
    ),
    logs: store.taskLogs.listByTask(id).map(viewLog),
  };
}

/** A task as a list shows it. */
export function viewTask(row: TaskRow): TaskView {
  return {
    task_id: row.id,
    kind: row.kind,
    status: row.status,
    phase: row.phase,
    unit: row.unit,
    image: row.image,
    summary: row.summary,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
    started_at: row.started_at === null ? null : isoTime(row.started_at),
    finished_at: row.finished_at === null ? null : isoTime(row.finished_at),
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
    error: row.error_code === null ? null : describeError(row.error_code, row.error_detail ?? ''),
  };
}

/** A failure as every view shows it. */
export function describeError(
  code: NonNullable<TaskRow['error_code']>,
  detail: string,
): NonNullable<TaskView['error']> {
  const { sentence, hint } = ERRORS[code];
  return { code, sentence, detail, hint };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
