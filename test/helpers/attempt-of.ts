import type { TaskRun, TaskTable } from '../../app/db/tasks.ts';

/** The attempt that a task is at now, as the process that is started for it is told. */
export function attemptOf(tasks: TaskTable, id: string): TaskRun {
  return { id, attempts: tasks.find(id)?.attempts ?? 0 };
}
