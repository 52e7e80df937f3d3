import type { Store } from '../db/store.ts';
import type { Claim } from '../domain/access.ts';
import { isTaskId } from '../domain/identifier.ts';
import { MAINTENANCE_UNIT } from '../domain/maintenance.ts';
import type { TaskInput } from '../domain/task-input.ts';

/** What somebody has to be allowed who stops a task or has it done anew; undefined where there is none of that id. */
export function claimOfTask(store: Pick<Store, 'tasks'>, id: string): Claim | undefined {
  const task = isTaskId(id) ? store.tasks.find(id) : undefined;
  if (!task) return undefined;
  const input = JSON.parse(task.input ?? '{}') as Partial<TaskInput>;
  if (input.podmanAutoUpdate) return 'all';
  if (input.maintenance || task.unit === MAINTENANCE_UNIT || task.kind === 'self-update') {
    return 'admin';
  }
  return [task.unit];
}
