import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { MAINTENANCE_UNIT, type MaintenanceAction } from '../domain/maintenance.ts';
import { isFinal } from '../domain/task.ts';
import type { TaskInput } from '../domain/task-input.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import type { Asker } from './make-manual-task.ts';

/** Who wants it: the clock, or a person, who may say more than the clock does. */
export type MaintenanceCause =
  | 'schedule'
  | (Asker & { readonly retryOf?: string; readonly maxAgeMs?: number | undefined });

const WHAT: Readonly<Record<MaintenanceAction, string>> = {
  'auto-update': 'Units that ask for it are to be brought to what their tags mean.',
  'check-updates': 'Updates of all units are to be looked for.',
  reconcile: 'What the units run is to be compared with what was deployed.',
  prune: 'What is older than it is kept for is to be removed.',
  backup: 'The database is to be backed up.',
};

/** Makes a task of maintenance; where one that does the same has not ended yet it is that one. Its id. */
export function makeMaintenanceTask(
  store: Store,
  action: MaintenanceAction,
  cause: MaintenanceCause,
): string {
  return store.transact(() => {
    const last = store.tasks.findMaintenance(action);
    const asker = cause === 'schedule' ? undefined : cause;
    const maxAgeMs = asker?.maxAgeMs;
    if (last && !isFinal(last.status) && doesTheSame(last, maxAgeMs)) return last.id;
    const id = newIdentifier('tsk');
    store.tasks.insert({
      ...{ id, kind: 'maintenance', unit: MAINTENANCE_UNIT, image: null, created_at: Date.now() },
      summary: WHAT[action],
      maintenance: action,
      ...(maxAgeMs !== undefined && { maxAgeMs }),
      trigger_source: asker ? 'manual' : 'scheduler',
      ...{ trigger_request_id: asker?.requestId ?? null, trigger_path: asker?.path ?? null },
      ...{ trigger_caller: asker?.by ?? null, trigger_reason: asker?.reason ?? null },
      ...{ webhook_digest: null, retry_of: asker?.retryOf ?? null },
    });
    const who = asker ? `${asker.by} asked for it.` : 'It was time.';
    store.taskLogs.append({
      ...{ task_id: id, ts: Date.now(), level: 'info', action: 'task-created', summary: who },
      meta: null,
    });
    return id;
  });
}

/** What a person has said is in the task, or it is another one. */
function doesTheSame({ input }: TaskRow, maxAgeMs: number | undefined): boolean {
  return maxAgeMs === undefined || (JSON.parse(input ?? '{}') as TaskInput).maxAgeMs === maxAgeMs;
}
