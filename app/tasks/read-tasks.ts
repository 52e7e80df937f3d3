import type {
  DeliveryView,
  Page,
  TaskCountsView,
  TaskDetailView,
  TaskLogsView,
  TaskView,
} from '../api/views.ts';
import type { Store } from '../db/store.ts';
import type { LogRange } from '../db/task-logs.ts';
import type { TaskFilter, TaskKey } from '../db/task-pages.ts';
import { TASK_KINDS, TASK_STATUSES } from '../domain/task.ts';
import { isoTime, tally, toLogView, toViews } from './task-view.ts';

/** A search reads the text of each task that it looks at: so many take it about 15 ms. */
const MAX_SEARCHED = 30_000;
/** Of the log of a task so many entries come with it. */
const FIRST_LOGS = 500;

/**
 * One page of tasks. A search looks at the newest 30,000 only: its page may hold fewer than `limit`, even none, and the
 * next one goes on behind them.
 */
export function listTasks(
  store: Store,
  filter: TaskFilter & { readonly limit: number },
): Page<'tasks', TaskView> {
  const since = findFloor(store, filter);
  const rows = store.tasks.list({ ...filter, ...(since && { since }), limit: filter.limit + 1 });
  const page = rows.slice(0, filter.limit);
  const last = page.at(-1);
  const isFull = rows.length > page.length && last;
  const key = isFull ? { createdAt: last.created_at, id: last.id } : since;
  return {
    tasks: toViews(page, store.tasks.countBatches),
    next_cursor: key ? `${key.createdAt}.${key.id}` : null,
  };
}

/** How many tasks a filter lets through; a search counts among the newest 30,000. */
export function countTasks(store: Store, filter: TaskFilter): TaskCountsView {
  const since = findFloor(store, filter);
  const counts = store.tasks.count({ ...filter, ...(since && { since }) });
  return {
    total: counts.reduce((sum, { count }) => sum + count, 0),
    by_status: tally(TASK_STATUSES, counts, ({ status }) => status),
    by_kind: tally(TASK_KINDS, counts, ({ kind }) => kind),
    complete: since === undefined,
  };
}

/** The last task that a search looks at; undefined where it looks at all of them. */
function findFloor(store: Store, { text, from, to, before }: TaskFilter): TaskKey | undefined {
  if (text === undefined) return undefined;
  const time = {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(before && { before }),
  };
  const floor = store.tasks.findNth(time, MAX_SEARCHED - 1);
  const isLast = floor && !store.tasks.findNth({ ...time, before: floor }, 0);
  return isLast ? undefined : floor;
}

/** The position that a cursor of `listTasks` stands for. */
export function parseTaskCursor(cursor: string): TaskKey {
  const dot = cursor.indexOf('.');
  return { createdAt: Number(cursor.slice(0, dot)), id: cursor.slice(dot + 1) };
}

/** A task with its deliveries and the beginning of its log; undefined where there is none of that id. */
export function readTask(store: Store, id: string): TaskDetailView | undefined {
  const head = readTaskHead(store, id);
  return head && { ...head, ...readTaskLogs(store, id, { after: 0, limit: FIRST_LOGS }) };
}

/** The same without its log. */
export function readTaskHead(
  store: Store,
  id: string,
): Omit<TaskDetailView, keyof TaskLogsView> | undefined {
  const row = store.tasks.find(id);
  const [view] = toViews(row ? [row] : [], store.tasks.countBatches);
  if (!view) return undefined;
  return {
    ...view,
    retried_as: store.tasks.listRetries(id),
    warning_count: store.taskLogs.countWarnings(id),
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
  };
}

/** A part of the log of a task; empty where there is no such task. */
export function readTaskLogs(store: Store, id: string, range: LogRange): TaskLogsView {
  const rows = store.taskLogs.listByTask(id, range);
  const last = rows.at(-1)?.id;
  const isMore = last !== undefined && store.taskLogs.hasMore(id, last);
  return { logs: rows.map(toLogView), logs_next: isMore ? last : null };
}
