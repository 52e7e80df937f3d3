import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import type { Store } from '../../db/store.ts';
import { isTaskId } from '../../domain/identifier.ts';

/** The task that a path names. What is no id of a task is asked of nobody. */
export function findTask(store: Store, id: string): Outcome<string> {
  const isThere = isTaskId(id) && store.tasks.find(id) !== undefined;
  return isThere ? succeed(id) : fail('TASK_NOT_FOUND', '');
}
