import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { endAllTaskProcesses } from './end-task-processes.ts';
import {
  KILL_WITHIN_MS,
  type TaskExecutor,
  type TaskProgram,
  WAKE_SIGNAL,
} from './task-executor.ts';
import { processOf } from './watched-processes.ts';

/** By this variable of their environment a process of tasks, and what it has started, is found again. */
export const TASK_ID_VARIABLE = 'PODUP_TASK_ID';

/**
 * Runs each task as a child of the worker, for hosts without a user manager. Such a task ends with its worker: it
 * gives itself back when the channel to the worker closes, and the next worker begins it again.
 */
export function createChildExecutor(program: TaskProgram): TaskExecutor {
  const children = new Map<ChildProcess, string>();
  return {
    kind: 'child',
    async start(task) {
      const [file, ...args] = program.argv;
      const child = spawn(file, [...args, 'run-task', task.id, String(task.attempts)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...program.environment, [TASK_ID_VARIABLE]: processOf(task) },
        detached: true,
      });
      children.set(child, processOf(task));
      try {
        const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
        return signal === null ? `the process exited with ${code}` : `${signal} ended the process`;
      } catch (error) {
        return `the process could not be started (${(error as NodeJS.ErrnoException).code})`;
      } finally {
        children.delete(child);
      }
    },
    async adopt(task) {
      // Its worker is gone, so it is on its way out; what is left of it must not meet the next attempt.
      const ended = await endAllTaskProcesses(TASK_ID_VARIABLE, processOf(task), KILL_WITHIN_MS);
      return { kind: ended.ok ? 'gone' : 'unknown' };
    },
    wake(task) {
      const wanted = processOf(task);
      for (const [child, process] of children) if (process === wanted) child.kill(WAKE_SIGNAL);
      return Promise.resolve();
    },
    kill(task) {
      // Of the group also who has shed its environment; all others by it.
      const wanted = processOf(task);
      for (const [child, process] of children) if (process === wanted) killGroup(child);
      return endAllTaskProcesses(TASK_ID_VARIABLE, wanted, KILL_WITHIN_MS);
    },
    close() {
      for (const child of children.keys()) if (child.connected) child.disconnect();
    },
  };
}

function killGroup(child: ChildProcess): void {
  const { pid } = child;
  // Nobody else can have the number of a child before it is known to have ended.
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
