import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { endTaskProcesses } from './end-task-processes.ts';
import { type TaskExecutor, type TaskProgram, WAKE_SIGNAL } from './task-executor.ts';
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
    adopt(task) {
      // Its worker is gone, so it is on its way out; what is left of it must not meet the next attempt.
      endTaskProcesses(TASK_ID_VARIABLE, processOf(task));
      return Promise.resolve({ kind: 'gone' });
    },
    wake(task) {
      const wanted = processOf(task);
      for (const [child, process] of children) if (process === wanted) child.kill(WAKE_SIGNAL);
      return Promise.resolve();
    },
    close() {
      for (const child of children.keys()) if (child.connected) child.disconnect();
    },
  };
}
