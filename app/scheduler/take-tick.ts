import type { Store } from '../db/store.ts';
import { findDue, type ScheduledJob, type Timing } from '../domain/schedule.ts';
import { isAlive } from './process-mark.ts';

/** A job and when it begins. */
export type TimedJob = { readonly name: ScheduledJob; readonly timing: Timing };

/** A tick that this process has claimed, and nobody else can any more. */
export type TakenTick = {
  readonly job: ScheduledJob;
  readonly dueAt: number;
  readonly beginning: Beginning;
};

/** How a tick begins: with a task, with a call whose end is written later, or not at all, because there is nothing to do. */
export type Beginning =
  | { readonly kind: 'task'; readonly taskId: string }
  | { readonly kind: 'call' }
  | { readonly kind: 'idle'; readonly why: string };

/** What claiming needs to know of the one who claims. */
export type Claimer = {
  /** See `processMark`. */
  readonly mark: string;
  readonly nowMs: number;
  /** See `lastDueOf`. */
  readonly never?: number;
  /** Called in the same transaction; makes the task where there is one. */
  readonly begin: () => Beginning;
};

/** The due time of a job that was served last; where none ever was `never`: since when it could have been. */
export function lastDueOf(
  store: Pick<Store, 'schedule' | 'madeAt'>,
  job: ScheduledJob,
  never = store.madeAt,
): number {
  const row = store.schedule.find(job);
  if (!row) return never;
  // A claim that came to no end, by a process that is gone, is none.
  const isVoid = row.task_id === null && row.ended_at === null && !isAlive(row.claimed_by);
  return isVoid ? row.due_at - 1 : row.due_at;
}

/**
 * Claims the due time of a job, if it has one, for this process: of several processes exactly one gets it. Claim and task are
 * one transaction, so that whatever dies next, there is a task and a dispatcher finds it, or the time is still due. Nothing
 * where a living process still works on the former one.
 */
export function takeTick(
  store: Pick<Store, 'schedule' | 'madeAt' | 'transact'>,
  { name: job, timing }: TimedJob,
  { mark, nowMs, never, begin }: Claimer,
): TakenTick | undefined {
  return store.transact(() => {
    const row = store.schedule.find(job);
    const isOpen = row && row.task_id === null && row.ended_at === null;
    if (isOpen && isAlive(row.claimed_by)) return undefined;
    const dueAt = findDue(timing, lastDueOf(store, job, never), nowMs);
    if (dueAt === undefined) return undefined;
    const beginning = begin();
    store.schedule.claim({
      ...{ job, due_at: dueAt, claimed_at: nowMs, claimed_by: mark },
      task_id: beginning.kind === 'task' ? beginning.taskId : null,
      ended_at: beginning.kind === 'call' ? null : nowMs,
      result: beginning.kind === 'idle' ? beginning.why : null,
    });
    return { job, dueAt, beginning };
  });
}
