import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { bucketOf } from '../domain/image-limit.ts';
import { type Bounds, type Choice, chooseTask } from './choose-task.ts';

/** How a task is begun: by which executor, or by the process that another one was started for. */
type Way = {
  readonly executor: NonNullable<TaskRow['executor']>;
  readonly process?: string;
  readonly said: string;
};

/**
 * Marks the task that is to be begun next as begun, with its place within the limit of its image; in the transaction of whoever
 * calls. Undefined where none is; where `id` is given, where it is another one by now.
 */
export function beginNext(
  store: Store,
  bounds: Bounds,
  { executor, process, said }: Way,
  id?: string,
): TaskRow | undefined {
  const { next } = chooseTask(store, bounds);
  if (!next || (id !== undefined && next.id !== id)) return undefined;
  const { limit, nowMs } = bounds;
  if (!store.tasks.markDispatched(next.id, executor, nowMs, process)) return undefined;
  const bucket = bucketOf(next);
  if (bucket !== undefined) store.rateLimits.add(bucket, nowMs, limit.windowMs);
  store.taskLogs.append({
    ...{ task_id: next.id, ts: nowMs, level: 'info', action: 'task-dispatched' },
    ...{ summary: said, meta: null },
  });
  return store.tasks.find(next.id);
}

/** Lets tasks wait until their image may be deployed again, and says so in the log of each, once. */
export function putOff(
  store: Store,
  limited: Choice['limited'],
  { limit: { count, windowMs }, nowMs }: Pick<Bounds, 'limit' | 'nowMs'>,
): void {
  if (limited.length === 0) return;
  store.transact(() => {
    for (const { task, untilMs } of limited) {
      if (!store.tasks.putOff(task.id, untilMs, 'image-limit', nowMs)) continue;
      if (task.waits_for === 'image-limit') continue;
      const until = new Date(untilMs).toISOString();
      store.taskLogs.append({
        ...{ task_id: task.id, ts: nowMs, level: 'warning', action: 'image-rate-limit' },
        summary: `${task.image} was deployed ${count} times in ${windowMs / 1000} s, as often as may be; it waits until ${until}.`,
        meta: JSON.stringify({
          limit: 'PODUP_IMAGE_LIMIT_COUNT',
          count,
          window_ms: windowMs,
          until,
        }),
      });
    }
  });
}
