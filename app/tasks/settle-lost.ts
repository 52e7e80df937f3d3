import type { Logger } from 'pino';
import type { Failure } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { TaskLogRow } from '../db/task-logs.ts';
import type { TaskRow } from '../db/tasks.ts';
import { decideLost, describeLost, lostFailure } from '../domain/task.ts';
import { letGoOfUnits } from './podman-auto-update-units.ts';

/** What it is done with. */
export type LostTaskParts = {
  readonly store: Store;
  readonly log: Logger;
  /** Told when the process of a task was gone: it begins again, or is closed with `failure`. */
  readonly onLost?: (taskId: string, how: string, failure: Failure | undefined) => void;
};

/** Has a task whose process is surely gone begin again, or closes it as lost; `how` the process has ended. */
export function settleLost(
  { store, log, onLost }: LostTaskParts,
  task: TaskRow,
  how: string,
): 'begins-again' | 'closed' {
  const { id } = task;
  const note = (level: TaskLogRow['level'], action: string, summary: string) =>
    store.taskLogs.append({ task_id: id, ts: Date.now(), level, action, summary, meta: null });
  const what = `The process of the task ended without a result: ${how}`;
  const isOpen = (store.deployments.find(id)?.stage ?? 'ended') !== 'ended';
  if (decideLost(task.attempts - task.deferrals, isOpen) === 'resume') {
    // False when it has ended or given itself back while we looked.
    if (store.tasks.release(task, Date.now())) {
      note('warning', 'task-resumed', `${what}; it begins again.`);
      log.warn({ task: id, attempts: task.attempts, how }, 'task begins again');
      onLost?.(id, how, undefined);
    }
    return 'begins-again';
  }
  const failure = lostFailure(task, how);
  note('error', 'task-lost', `${what}.`);
  store.tasks.finish(task, {
    status: 'failed',
    summary: `${describeLost(task)}: ${failure.code}.`,
    errorCode: failure.code,
    errorDetail: failure.detail,
    at: Date.now(),
  });
  letGoOfUnits(store, task);
  log.error({ task: id, code: failure.code, how }, 'task ended');
  onLost?.(id, how, failure);
  return 'closed';
}
