import type { NewTask } from '../db/new-task.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { MAINTENANCE_UNIT, type MaintenanceAction } from '../domain/maintenance.ts';
import { isFinal } from '../domain/task.ts';
import type { TaskInput } from '../domain/task-input.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import type { Asker } from './make-manual-task.ts';

/** Who wants it: the clock, or a person, who may say more than the clock does. */
export type AskedCause =
  | 'schedule'
  | (Asker & { readonly retryOf?: string; readonly maxAgeMs?: number | undefined });

/** Who wants it, or what has happened. */
export type MaintenanceCause = AskedCause | StartCause | PushCause;

/** The service has begun, or begun to deploy again; where registries do not answer yet it is done anew so often. */
export type StartCause = {
  readonly kind: 'start';
  readonly triesLeft: number;
  readonly notBeforeMs: number;
};

/** An accepted delivery: what else it may have been about is looked at when that time has come. */
export type PushCause = {
  readonly kind: 'push';
  /** The id of the delivery. */
  readonly delivery: string;
  readonly notBeforeMs: number;
};

const WHAT: Readonly<Record<MaintenanceAction, string>> = {
  'auto-update': 'Units that ask for it are to be brought to what their tags mean.',
  'check-updates': 'Updates of all units are to be looked for.',
  'missed-deliveries': 'What was pushed without a delivery that told of it is to be found.',
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
    if (last && doesTheSame(last, action, cause)) {
      // One that waits for its time, as after a start, is not to keep a person waiting.
      if (last.not_before !== null && kindOf(cause) === undefined) {
        store.tasks.hasten(last.id, Date.now());
      }
      return last.id;
    }
    const id = newIdentifier('tsk');
    store.tasks.insert({
      ...{ id, kind: 'maintenance', unit: MAINTENANCE_UNIT, image: null, created_at: Date.now() },
      ...{ summary: WHAT[action], maintenance: action, webhook_digest: null },
      ...triggerOf(cause),
    });
    store.taskLogs.append({
      ...{ task_id: id, ts: Date.now(), level: 'info', action: 'task-created' },
      ...{ summary: sayCause(cause), meta: null },
    });
    return id;
  });
}

type Trigger = Pick<
  NewTask,
  'trigger_source' | 'trigger_request_id' | 'trigger_path' | 'trigger_caller'
> &
  Partial<NewTask>;

const BY_CLOCK = {
  ...{ trigger_source: 'scheduler', trigger_request_id: null, trigger_path: null },
  trigger_caller: null,
} as const;

function triggerOf(cause: MaintenanceCause): Trigger {
  if (cause === 'schedule') return BY_CLOCK;
  if (!('kind' in cause)) {
    const { maxAgeMs } = cause;
    return {
      ...{ trigger_source: 'manual', trigger_request_id: cause.requestId },
      ...{ trigger_path: cause.path, trigger_caller: cause.by },
      ...{ trigger_reason: cause.reason ?? null, retry_of: cause.retryOf ?? null },
      ...(maxAgeMs !== undefined && { maxAgeMs }),
    };
  }
  const { notBeforeMs: not_before } = cause;
  if (cause.kind === 'start') return { ...BY_CLOCK, not_before, triesLeft: cause.triesLeft };
  const of = { trigger_source: 'webhook', trigger_caller: cause.delivery };
  return { ...BY_CLOCK, ...of, not_before, pushedOnly: true };
}

function sayCause(cause: MaintenanceCause): string {
  if (cause === 'schedule') return 'It was time.';
  if (!('kind' in cause)) return `${cause.by} asked for it.`;
  if (cause.kind === 'push') return `Delivery ${cause.delivery} was about one tag of several.`;
  return 'Nobody may have listened for a while.';
}

function kindOf(cause: MaintenanceCause): 'start' | 'push' | undefined {
  return cause !== 'schedule' && 'kind' in cause ? cause.kind : undefined;
}

/** What a person has said is in the task, or it is another one. */
function doesTheSame(
  { status, input }: TaskRow,
  action: MaintenanceAction,
  cause: MaintenanceCause,
): boolean {
  if (isFinal(status)) return false;
  const { maxAgeMs, pushedOnly = false } = JSON.parse(input ?? '{}') as Partial<TaskInput>;
  // What it has asked already says nothing of what was pushed since.
  if (action === 'missed-deliveries' && status === 'running') return false;
  if (pushedOnly && kindOf(cause) !== 'push') return false;
  const wanted = cause !== 'schedule' && 'by' in cause ? cause.maxAgeMs : undefined;
  return wanted === undefined || maxAgeMs === wanted;
}
