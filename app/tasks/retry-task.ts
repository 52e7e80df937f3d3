import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import { isFinal } from '../domain/task.ts';
import type { TaskInput } from '../domain/task-input.ts';
import type { KnownUnits } from '../units/known-units.ts';
import { makeMaintenanceTask } from './make-maintenance-task.ts';
import { type Asker, makeManualTask } from './make-manual-task.ts';
import { makeAutoUpdateTask } from './make-podman-auto-update.ts';

/**
 * Has a task that has ended done anew: a new task with the same unit, version and image, by the word of the person who
 * asks, with every check that a deployment by hand passes. Where such a one has not begun yet it is that one. The id of
 * the new task. Fails with TASK_NOT_FOUND, TASK_NOT_ENDED, TASK_NOT_REPEATABLE and UNIT_NOT_CONFIGURED.
 */
export function retryTask(
  store: Store,
  known: Pick<KnownUnits, 'choose'>,
  id: string,
  asker: Asker,
): Outcome<string> {
  return store.transact(() => {
    const task = store.tasks.find(id);
    if (!task) return fail('TASK_NOT_FOUND', '');
    if (!isFinal(task.status)) return fail('TASK_NOT_ENDED', `It is ${task.status}.`);
    if (task.input === null) return fail('TASK_NOT_REPEATABLE', `Its kind is ${task.kind}.`);
    const input = JSON.parse(task.input) as TaskInput;
    const { unit, version, image, maintenance, maxAgeMs, restart, podmanAutoUpdate } = input;
    if (podmanAutoUpdate) {
      const { id: again } = makeAutoUpdateTask(store, unit, podmanAutoUpdate, {
        ...asker,
        retryOf: id,
      });
      return succeed(noteRetry(store, id, again, asker));
    }
    if (maintenance) {
      return succeed(
        noteRetry(
          store,
          id,
          makeMaintenanceTask(store, maintenance, { ...asker, maxAgeMs, retryOf: id }),
          asker,
        ),
      );
    }
    const configured = known.choose('person', unit);
    if (!configured.ok) return configured;
    const waiting = store.tasks.findPendingRetry(id);
    if (waiting) return succeed(waiting.id);
    const again = makeManualTask(
      store,
      { unit, version: version ?? undefined, image, restart, retryOf: id },
      asker,
    );
    return succeed(noteRetry(store, id, again, asker));
  });
}

function noteRetry(store: Store, id: string, again: string, { by }: Asker): string {
  store.taskLogs.append({
    ...{ task_id: id, ts: Date.now(), level: 'info', action: 'task-retried' },
    ...{ summary: `${by} has it done anew as ${again}.`, meta: null },
  });
  return again;
}
