import type { Store } from '../db/store.ts';
import type { Steps } from '../domain/deployment-plan.ts';
import { newIdentifier } from '../intake/new-identifier.ts';

/** Who wants something, and how it was said. */
export type Asker = {
  readonly by: string;
  readonly reason?: string | undefined;
  readonly requestId: string;
  readonly path: string;
};

/** A deployment that a person asks for, or only a restart. */
export type ManualTask = {
  readonly unit: string;
  /** See `parseWantedVersion`; absent: what the unit's own tag means. */
  readonly version?: string | undefined;
  /** The name by which the unit runs its image, as far as that is known. */
  readonly image: string | null;
  /** What the person was shown. */
  readonly planned?: Steps | undefined;
  /** It is restarted with what is here; then there is neither version nor plan. */
  readonly restart?: true | undefined;
  readonly batchId?: string;
  /** The task that is done anew. */
  readonly retryOf?: string;
};

/** Makes the task of a wish, with the first entry of its log; its id. */
export function makeManualTask(store: Store, task: ManualTask, asker: Asker): string {
  const { unit, version, image, planned, restart, batchId, retryOf } = task;
  const { by, reason, requestId, path } = asker;
  const id = newIdentifier('tsk');
  const what = restart ? 'a restart' : (version ?? 'what its tag means');
  const again = retryOf === undefined ? '' : ` again, as ${retryOf} was to bring it`;
  store.transact(() => {
    store.tasks.insert({
      ...{ id, kind: 'manual', unit, image, created_at: Date.now() },
      summary: restart ? `${unit} is to be restarted.` : `${unit} is to run ${what}.`,
      ...(restart && { restart }),
      ...{ trigger_source: 'manual', trigger_request_id: requestId, trigger_path: path },
      ...{ trigger_caller: by, trigger_reason: reason ?? null, webhook_digest: null },
      ...{ wanted: version ?? null, batch_id: batchId ?? null, retry_of: retryOf ?? null },
      plan: planned ? JSON.stringify(planned) : null,
    });
    store.taskLogs.append({
      ...{ task_id: id, ts: Date.now(), level: 'info', action: 'task-created' },
      ...{ summary: `${by} asked for ${what}${again}.`, meta: null },
    });
  });
  return id;
}
