import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import type { OpenDeployment } from '../domain/deployment.ts';
import type { UnitResult } from '../domain/podman-auto-update.ts';
import { newIdentifier } from '../intake/new-identifier.ts';

/** What a run of podman's auto-update has come to for one unit. */
export type UnitOutcome = {
  readonly unit: string;
  readonly image: string;
  readonly result: UnitResult;
  /** What podman says of it; may be empty. */
  readonly reason: string;
};

/** A unit that podman is about to update, with the task that proves it afterwards, or brings it back. */
export type WatchedUnit = {
  readonly taskId: string;
  readonly deployment: OpenDeployment;
  readonly quarantineMs: number | null;
};

const ACTION = 'auto-update-result';
const SOURCE = 'auto-update';

/**
 * Makes the tasks that prove, each for its unit, what podman does: before it does it, so that a unit is looked after
 * whatever becomes of the run. They begin when that has ended (`settleUnit`), at the latest at `notBeforeMs`.
 */
export function makeUnitTasks(
  store: Store,
  parent: TaskRow,
  deployments: readonly OpenDeployment[],
  notBeforeMs: number,
): ReadonlyMap<string, string> {
  return store.transact(() => {
    const made = deployments.map((deployment) => {
      const { unit, image } = deployment;
      const id = newIdentifier('tsk');
      store.tasks.insert({
        ...describeParent(parent),
        ...{ id, unit, image, created_at: Date.now(), not_before: notBeforeMs },
        ...{ summary: `podman is to update ${unit}; then it is proven.`, webhook_digest: null },
      });
      saveDeployment(store, id, deployment);
      note(store, id, 'info', 'task-created', `By podman's auto-update, task ${parent.id}.`);
      return [unit, id] as const;
    });
    return new Map(made);
  });
}

/**
 * The tasks that a run of podman's auto-update has made and not let go begin now: they look themselves how far podman came.
 * How many there were; nothing is done for a task that is no such run.
 */
export function letGoOfUnits(store: Store, parent: Pick<TaskRow, 'id' | 'batch_id'>): number {
  if (parent.batch_id === null) return 0;
  const filter = { batchId: parent.batch_id, statuses: ['pending'], limit: 500 } as const;
  const waiting = store.tasks
    .list(filter)
    .filter(({ id, trigger_source: source }) => id !== parent.id && source === SOURCE);
  for (const { id } of waiting) store.tasks.hasten(id, Date.now());
  return waiting.length;
}

/**
 * podman is done with a unit: its task begins, to prove the new image or to see that the former one serves again, or ends
 * where podman has done nothing. What podman has rolled back goes into quarantine.
 */
export function settleUnit(store: Store, watched: WatchedUnit, outcome: UnitOutcome): void {
  const { taskId, deployment, quarantineMs } = watched;
  const at = Date.now();
  const said = describe(outcome);
  store.transact(() => {
    note(store, taskId, LEVELS[outcome.result], ACTION, said);
    if (outcome.result === 'unchanged' || outcome.result === 'pending') {
      saveDeployment(store, taskId, { ...deployment, stage: 'ended' });
      const summary = `podman left ${deployment.unit} as it was.`;
      store.tasks.finish({ id: taskId, attempts: 0 }, { status: 'skipped', summary, at });
      return;
    }
    const code = CODES[outcome.result];
    if (code) {
      const cause = { cause_code: code, cause_detail: said } as const;
      saveDeployment(store, taskId, { ...deployment, ...cause, stage: 'back' });
    } else {
      saveDeployment(store, taskId, deployment);
    }
    if (outcome.result === 'rolled-back') {
      const { unit, image, wanted_digest: digest, wanted_image_id: imageId } = deployment;
      const bad = {
        unit,
        digest,
        image,
        image_id: imageId,
        code: 'AUTO_UPDATE_ROLLED_BACK',
      } as const;
      const expires_at = quarantineMs === null ? null : at + quarantineMs;
      store.quarantine.add({ ...bad, detail: said, at, expires_at });
    }
    store.tasks.hasten(taskId, at);
  });
}

/** What podman did to a unit that this program does not know, or could not look after: a task that is over. */
export function recordUnit(store: Store, parent: TaskRow, outcome: UnitOutcome): void {
  const { unit, image, result } = outcome;
  const now = Date.now();
  const code = CODES[result] ?? null;
  const said = describe(outcome);
  const id = newIdentifier('tsk');
  store.transact(() => {
    store.tasks.insertFinal({
      ...describeParent(parent),
      ...{ id, unit, image, created_at: now, started_at: now, finished_at: now },
      status: code ? 'failed' : 'succeeded',
      summary: code ? said : `${said} Nothing was proven.`,
      ...{ error_code: code, error_detail: code && said },
    });
    note(store, id, LEVELS[result], ACTION, said);
  });
}

const CODES: Readonly<Partial<Record<UnitResult, ErrorCode>>> = {
  failed: 'AUTO_UPDATE_FAILED',
  'rolled-back': 'AUTO_UPDATE_ROLLED_BACK',
};

const LEVELS = {
  updated: 'info',
  unchanged: 'info',
  pending: 'info',
  failed: 'warning',
  'rolled-back': 'warning',
} as const satisfies Record<UnitResult, string>;

function describe({ unit, image, result, reason }: UnitOutcome): string {
  const what: Readonly<Record<UnitResult, string>> = {
    updated: `podman has brought ${unit} to what ${image} means.`,
    unchanged: `podman has found nothing new for ${unit}.`,
    pending: `podman has something new for ${unit}.`,
    failed: `podman could not update ${unit}.`,
    'rolled-back': `podman has put ${unit} back, which did not start with what ${image} means.`,
  };
  return reason === '' ? what[result] : `${what[result]} ${reason}`;
}

/** By whose word it is done, for each task of the run. */
function describeParent(parent: TaskRow) {
  return {
    kind: 'internal',
    trigger_source: SOURCE,
    batch_id: parent.batch_id,
    trigger_request_id: parent.trigger_request_id,
    trigger_path: parent.trigger_path,
    trigger_caller: parent.trigger_caller,
    trigger_reason: parent.trigger_reason,
  } as const;
}

function saveDeployment(store: Store, taskId: string, deployment: OpenDeployment): void {
  const dependents = JSON.stringify(deployment.dependents);
  store.deployments.save({ ...deployment, task_id: taskId, dependents, updated_at: Date.now() });
}

function note(
  store: Store,
  id: string,
  level: 'info' | 'warning',
  action: string,
  summary: string,
): void {
  store.taskLogs.append({ task_id: id, ts: Date.now(), level, action, summary, meta: null });
}
