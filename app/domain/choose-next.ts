import { compareInstances, parseInstance } from './unit-template.ts';

/** What the choice has to know of a task. Times are milliseconds since the epoch. */
export type QueuedTask = {
  readonly unit: string;
  /** The name that the unit runs its image by; null where that is not known yet. */
  readonly image: string | null;
  /** The version that a person chose; null: what the tag means. */
  readonly wanted: string | null;
  readonly created_at: number;
};

/**
 * Chooses the task to be begun next among those that may be begun, at most one of each unit, the oldest first; undefined
 * where all of them have to wait for one that runs.
 *
 * The oldest goes first, but a unit that has had its turn (`servedAt`) stands behind all who have waited since before it:
 * however many tasks it has, each other unit waits for one of them. Of the instances of a template that want the same
 * the lowest goes first, alone: what it finds out about the image the others need not find out by being down.
 */
export function chooseNext<T extends QueuedTask>(
  pending: readonly T[],
  running: readonly QueuedTask[],
  servedAt: ReadonlyMap<string, number>,
): T | undefined {
  const busy = new Set(running.map(ringOf));
  const first = new Map<string, string>();
  for (const task of pending) {
    const ring = ringOf(task);
    if (ring === undefined) continue;
    const lowest = first.get(ring);
    if (lowest === undefined || compareInstances(task.unit, lowest) < 0) first.set(ring, task.unit);
  }
  const mayBegin = (task: T) => {
    const ring = ringOf(task);
    return ring === undefined || (!busy.has(ring) && first.get(ring) === task.unit);
  };
  const turnOf = ({ unit, created_at }: T) => Math.max(created_at, servedAt.get(unit) ?? 0);
  let next: T | undefined;
  for (const task of pending) {
    if (mayBegin(task) && (next === undefined || turnOf(task) < turnOf(next))) next = task;
  }
  return next;
}

/** What all instances of a template have in common that want the same; undefined for a unit that is no instance. */
function ringOf({ unit, image, wanted }: QueuedTask): string | undefined {
  const parsed = parseInstance(unit);
  return parsed && JSON.stringify([parsed.template, image, wanted]);
}
