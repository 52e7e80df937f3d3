import type { Store } from '../db/store.ts';
import type { AutoUpdateMode } from '../domain/podman-auto-update.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import type { AskedCause } from './make-maintenance-task.ts';

/** A task of podman's auto-update: the one that was made, or the one that has not ended yet. */
export type AutoUpdateTask = {
  readonly id: string;
  readonly batchId: string | null;
  readonly isNew: boolean;
};

const WHAT: Readonly<Record<AutoUpdateMode, string>> = {
  run: "podman's auto-update is to be run.",
  'dry-run': "It is to be looked what podman's auto-update would do.",
};

/**
 * Makes a task that runs podman's auto-update, `unit` being the unit that stands for it. Where one of the same mode waits
 * or really runs it is that one: a task that has lost its process is closed or begins again, so none stands in the way for ever.
 */
export function makeAutoUpdateTask(
  store: Store,
  unit: string,
  mode: AutoUpdateMode,
  cause: AskedCause,
): AutoUpdateTask {
  return store.transact(() => {
    const open = store.tasks.findOpenAutoUpdate(mode);
    if (open) return { id: open.id, batchId: open.batch_id, isNew: false };
    const id = newIdentifier('tsk');
    const batchId = newIdentifier('bat');
    const asker = cause === 'schedule' ? undefined : cause;
    store.tasks.insert({
      ...{ id, kind: asker ? 'manual' : 'scheduler', unit, image: null, created_at: Date.now() },
      ...{ summary: WHAT[mode], podmanAutoUpdate: mode, batch_id: batchId, webhook_digest: null },
      trigger_source: asker ? 'manual' : 'scheduler',
      ...{ trigger_request_id: asker?.requestId ?? null, trigger_path: asker?.path ?? null },
      ...{ trigger_caller: asker?.by ?? null, trigger_reason: asker?.reason ?? null },
      retry_of: asker?.retryOf ?? null,
    });
    const who = asker ? `${asker.by} asked for it.` : 'It was time.';
    store.taskLogs.append({
      ...{ task_id: id, ts: Date.now(), level: 'info', action: 'task-created', summary: who },
      meta: null,
    });
    return { id, batchId, isNew: true };
  });
}
