import type { CheckedUnitView } from '../api/check-views.ts';
import type { NewTask } from '../db/new-task.ts';
import type { PushedUnit, TrackedTag } from '../db/tracked-tags.ts';
import {
  decideTag,
  isSettled,
  type LookUpCause,
  type TagDecision,
  type TagSituation,
} from '../domain/missed-delivery.ts';
import { isFinal } from '../domain/task.ts';
import { makeSystemEvent } from '../events/system-event.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import { listExpecting } from './expecting-units.ts';
import {
  endFailed,
  type MaintenanceEnd,
  type MaintenanceInput,
  type MaintenanceParts,
  type UpdateWork,
} from './maintenance-parts.ts';
import { makeMaintenanceTask } from './make-maintenance-task.ts';
import {
  findPush,
  listAnswered,
  type PushedRepositories,
  readPushed,
} from './pushed-repositories.ts';

/** After so long registries that have not answered are asked again, where the service has just begun. */
const AGAIN_AFTER_MS = 120_000;

/**
 * Finds what was pushed and told of by no delivery, by one question for each tag, and makes the tasks that deploy it: of units
 * that deliveries are expected for, because nobody may have listened; and of units on other tags of a repository that
 * something was pushed to, because a delivery names one tag of several.
 */
export async function runMissedDeliveries(
  parts: MaintenanceParts,
  { pushedOnly, triesLeft = 0 }: MaintenanceInput,
): Promise<MaintenanceEnd> {
  const { store, signal } = parts;
  const updates = parts.updates();
  const pushed = readPushed(store);
  const ofPushes = listOfRepositories(updates, pushed);
  const expecting = pushedOnly ? [] : listExpecting(store, updates.known);
  const units = [...new Set([...expecting, ...ofPushes])];
  if (units.length === 0) {
    store.trackedTags.forgetPushed([...pushed.values()].flat());
    return { status: 'succeeded', summary: 'There is no tag to be looked up.' };
  }
  const former = new Map(
    updates.list(units).map(({ unit, update }) => [unit, update.remote_tag_digest]),
  );
  const checked = await updates.check(units, { isForced: true, signal });
  if (!checked.ok) return endFailed('The tags could not be looked up', checked.failure);
  const views = updates.list(units);
  const found = store.transact(() => {
    const decided = decideAll(parts, { views, pushed, former, known: updates.known });
    store.trackedTags.forgetPushed(listAnswered(pushed, views));
    if (checked.value.failed > 0 && triesLeft > 0) {
      const notBeforeMs = Date.now() + AGAIN_AFTER_MS;
      makeMaintenanceTask(store, 'missed-deliveries', {
        ...{ kind: 'start', triesLeft: triesLeft - 1, notBeforeMs },
      });
    }
    return decided;
  });
  noteAll(parts, found, views);
  const of = (cause: LookUpCause) =>
    found.filter((one) => one.taskId !== undefined && one.cause === cause).length;
  const { failed } = checked.value;
  const unanswered = failed === 0 ? '' : ` ${failed} tags without an answer.`;
  return {
    status: 'succeeded',
    summary: `Of ${units.length} units ${of('sweep')} had missed a delivery, ${of('push')} had a push of another tag.${unanswered}`,
  };
}

type Found = {
  readonly view: CheckedUnitView;
  readonly cause: LookUpCause;
  readonly decision: TagDecision;
  readonly taskId: string | undefined;
};

/** The units that webhooks may deploy and that run another tag of what was pushed, as far as it is known. */
function listOfRepositories(
  { known, list }: UpdateWork,
  pushed: Around['pushed'],
): readonly string[] {
  if (pushed.size === 0) return [];
  return list(known.list('webhook'))
    .filter(({ unit, image }) => image !== null && findPush(pushed, unit, image) !== undefined)
    .map(({ unit }) => unit);
}

type Around = {
  readonly views: readonly CheckedUnitView[];
  readonly pushed: PushedRepositories;
  /** What tags meant before, whoever has asked. */
  readonly former: ReadonlyMap<string, string | null>;
  readonly known: UpdateWork['known'];
};

/** To be called in a transaction: what a tag is taken for and the task that follows from it are one. */
function decideAll(parts: MaintenanceParts, around: Around): readonly Found[] {
  const { store } = parts;
  const tracked = new Map(store.trackedTags.list().map((row) => [row.unit, row]));
  const batchId = newIdentifier('bat');
  const now = Date.now();
  return around.views.flatMap((view): Found[] => {
    const { unit, image, update } = view;
    const digest = meaningOf(update);
    if (image === null || digest === null) return [];
    const push = findPush(around.pushed, unit, image);
    const cause = push ? 'push' : 'sweep';
    const row = tracked.get(unit);
    const known = knownMeaning(row, image, push ? undefined : around.former.get(unit));
    const isCurrent = update.status === 'up_to_date' || update.status === 'latest_ahead';
    const situation = { unit, image, digest, known, isCurrent, seenAt: row?.seen_at ?? 0 };
    const decision = decideTag(inquire(store, around.known, situation, now), cause);
    if (isSettled(decision)) store.trackedTags.see(unit, image, digest, now);
    if (decision !== 'deploy') return [{ view, cause, decision, taskId: undefined }];
    const taskId = push
      ? makePushTask(parts, view, push, batchId)
      : makeMissedTask(parts, view, known, batchId);
    return [{ view, cause, decision, taskId }];
  });
}

/** What its tag means; null: nobody knows. Of a unit that is down it is known all the same, which may be down for want of that. */
function meaningOf({ remote_tag_digest, status, reason }: CheckedUnitView['update']) {
  return status !== 'unknown' || reason === 'CHECK_NOTHING_RUNS' ? remote_tag_digest : null;
}

/** Adds what else is known of the unit. */
function inquire(
  store: MaintenanceParts['store'],
  known: UpdateWork['known'],
  tag: Pick<TagSituation, 'image' | 'digest' | 'known' | 'isCurrent'> & {
    readonly unit: string;
    readonly seenAt: number;
  },
  nowMs: number,
): TagSituation {
  const { unit, digest, seenAt } = tag;
  const [newest] = store.tasks.list({ unit, limit: 1 });
  return {
    ...tag,
    isOpen: newest !== undefined && !isFinal(newest.status),
    isQuarantined: store.quarantine.find(unit, digest, nowMs) !== undefined,
    isNamed: store.trackedTags.isNamed(unit, digest, seenAt),
    followsTag: known.find(unit)?.marks?.isAutoUpdated ?? false,
  };
}

function knownMeaning(
  row: TrackedTag | undefined,
  image: string,
  former: string | null | undefined,
): TagSituation['known'] {
  if (row?.image != null && row.digest !== null) return { image: row.image, digest: row.digest };
  return former ? { image, digest: former } : undefined;
}

function makeTask(
  { store, taskId: runId }: MaintenanceParts,
  { unit, image }: CheckedUnitView,
  task: Pick<NewTask, 'kind' | 'batch_id' | 'trigger_source' | 'trigger_caller' | 'trigger_reason'>,
  log: { readonly summary: string; readonly meta: object },
): string {
  const id = newIdentifier('tsk');
  store.tasks.insert({
    ...{ id, unit, image, created_at: Date.now(), ...task },
    summary: `${unit} is to run what its tag means.`,
    ...{ trigger_request_id: runId, trigger_path: null, webhook_digest: null },
  });
  store.taskLogs.append({
    ...{ task_id: id, ts: Date.now(), level: 'info', action: 'task-created' },
    ...{ summary: log.summary, meta: JSON.stringify(log.meta) },
  });
  return id;
}

function makePushTask(
  parts: MaintenanceParts,
  view: CheckedUnitView,
  push: PushedUnit,
  batchId: string,
): string {
  const { pushed_by: delivery, pushed_image: pushed } = push;
  const digest = view.update.remote_tag_digest;
  const of = { kind: 'github-webhook', trigger_source: 'webhook', batch_id: batchId } as const;
  return makeTask(
    parts,
    view,
    { ...of, trigger_caller: delivery, trigger_reason: `a push of ${pushed}` },
    {
      summary: `Delivery ${delivery} was about ${pushed}; ${view.image} of the same repository means ${digest} now.`,
      meta: { delivery, pushed, digest },
    },
  );
}

function makeMissedTask(
  parts: MaintenanceParts,
  view: CheckedUnitView,
  known: TagSituation['known'],
  batchId: string,
): string {
  const { store } = parts;
  const { unit, image } = view;
  const digest = view.update.remote_tag_digest ?? '';
  const formerDigest = known?.digest ?? null;
  const meta = { unit, image, digest, former_digest: formerDigest };
  const of = { kind: 'scheduler', trigger_source: 'sweep', batch_id: batchId } as const;
  const taskId = makeTask(
    parts,
    view,
    { ...of, trigger_caller: 'sweep', trigger_reason: 'missed delivery' },
    { summary: `Its tag means ${digest} now, and no delivery has told of that.`, meta },
  );
  const row = { unit, image: image ?? '', digest, former_digest: formerDigest, task_id: taskId };
  store.missedDeliveries.insert({ ...row, found_at: Date.now(), found_by: 'sweep' });
  store.events.insertAll([
    makeSystemEvent('missed-delivery', 'missed-deliveries', { status: 202, taskId, meta }),
  ]);
  return taskId;
}

const WORDS: Readonly<Record<TagDecision, string>> = {
  deploy: 'it is deployed',
  current: 'it runs that',
  'first-sight': 'it is seen for the first time, and later pushes are told from it',
  unchanged: 'it has meant that before',
  named: 'a delivery has told of it',
  open: 'a task of the unit is open',
  quarantined: 'it has failed and is held back',
};

function noteAll(
  { note }: MaintenanceParts,
  found: readonly Found[],
  views: readonly CheckedUnitView[],
): void {
  for (const { view, decision, cause, taskId } of found) {
    if (decision === 'current' || decision === 'unchanged') continue;
    const digest = view.update.remote_tag_digest;
    const meta = { unit: view.unit, digest, decision, cause, task_id: taskId ?? null };
    const said = `The tag of ${view.unit} means ${digest}: ${WORDS[decision]}.`;
    note(taskId === undefined ? 'info' : 'warning', 'missed-deliveries', said, meta);
  }
  for (const { unit, update } of views) {
    if (update.status !== 'unknown' || !update.error) continue;
    const { code, detail } = update.error;
    note('warning', 'missed-deliveries', `${unit} is not known: ${code} ${detail}`, { unit, code });
  }
}
