import { createHash } from 'node:crypto';
import type { DeliveryRow } from '../db/deliveries.ts';
import type { Store } from '../db/store.ts';
import { nameGithubHook } from '../domain/name-github-hook.ts';
import { parseObject } from './keep-delivery.ts';
import { newIdentifier } from './new-identifier.ts';
import type { IntakeRecord, SpoolEntry } from './spool-format.ts';

/** Where in the spool the entries end, so that they are never taken over twice. */
export type SpoolPosition = { readonly segment: string; readonly end: number };

/** What a take-over goes by. */
export type TakeOverRules = {
  /** So long the task of a delivery waits for further ones of its unit and image, in milliseconds. */
  readonly windowMs: number;
};

/**
 * Takes entries of the spool over into the database: deliveries, the tasks that follow from them, and the position,
 * all in one transaction. Repeating it after a crash changes nothing. Accepted deliveries for the same unit and image
 * whose task has not begun share that task. It begins when the window of the first of them is over: that is in its row, so that
 * neither a crash nor any number of deliveries puts it off.
 * @returns how many tasks were made.
 */
export function takeOver(
  store: Store,
  entries: readonly SpoolEntry[],
  at: SpoolPosition,
  rules: TakeOverRules,
): number {
  return store.transact(() => {
    const pending = new PendingTasks(store);
    let made = 0;
    for (const entry of entries) {
      if (takeOverEntry(store, pending, entry, rules)) made++;
    }
    store.segments.setConsumed(at.segment, at.end);
    return made;
  });
}

/** A task that others may join, and the digest that is announced for it. */
type PendingTask = { readonly id: string; digest: string | null };

/**
 * The pending task of each unit and image, asked for once: while the transaction holds the write lock nobody begins
 * or ends one, and most deliveries of a burst are about the same.
 */
class PendingTasks {
  readonly #store: Store;
  readonly #known = new Map<string, PendingTask | undefined>();

  constructor(store: Store) {
    this.#store = store;
  }

  find({ unit, verdict }: IntakeRecord): PendingTask | undefined {
    const key = JSON.stringify([unit, verdict.image]);
    if (!this.#known.has(key)) {
      const row = this.#store.tasks.findPending(unit, verdict.image ?? null);
      this.#known.set(key, row && { id: row.id, digest: row.webhook_digest });
    }
    return this.#known.get(key);
  }

  add({ unit, verdict }: IntakeRecord, id: string): void {
    const digest = verdict.digest ?? null;
    this.#known.set(JSON.stringify([unit, verdict.image]), { id, digest });
  }
}

function takeOverEntry(
  store: Store,
  pendingTasks: PendingTasks,
  { record, body }: SpoolEntry,
  rules: TakeOverRules,
): boolean {
  const { verdict } = record;
  const isWork = verdict.verdict === 'accepted';
  const pending = isWork ? pendingTasks.find(record) : undefined;
  const row = toRow(record, body, pending?.id ?? null);
  if (!store.deliveries.insert(row)) return false;
  noteUse(store, record);
  learnGithubHook(store, record, body);
  if (isKept(record)) store.deliveryBodies.keep(record.id, record.receivedAt, body);
  if (!isWork) return false;
  store.trackedTags.notePush(record.unit, row.image, record.id, record.receivedAt);
  if (pending !== undefined) {
    joinTask(store, pending, record);
    return false;
  }
  const taskId = newIdentifier('tsk');
  makeTask(store, taskId, record, rules);
  store.deliveries.setTask(record.id, taskId);
  pendingTasks.add(record, taskId);
  return true;
}

function toRow(record: IntakeRecord, body: Buffer, taskId: string | null): DeliveryRow {
  const { verdict, hook, replay } = record;
  return {
    id: record.id,
    received_at: record.receivedAt,
    source: record.source,
    delivery: record.delivery,
    event: record.event,
    path: record.path,
    remote_address: record.remoteAddress,
    unit: record.unit,
    verdict: verdict.verdict,
    reason: verdict.reason ?? null,
    detail: verdict.detail ?? null,
    image: verdict.image ?? null,
    matched: verdict.matched ?? null,
    digest: verdict.digest ?? null,
    body_sha256: record.body?.sha256 ?? createHash('sha256').update(body).digest('hex'),
    body_bytes: record.body?.bytes ?? body.length,
    task_id: taskId,
    hook: hook?.name ?? null,
    reception: record.reception ?? record.id,
    headers: toJson(record.headers),
    understood: toJson(record.understood),
    needs_proof: hook?.isUnsigned ? 1 : 0,
    replay_of: replay?.of ?? null,
    replayed_by: replay?.by ?? null,
  };
}

/** What says something new, with the first of its rows, which has the body; what was replayed is there already. */
function isKept({ verdict, reception, replay }: IntakeRecord): boolean {
  const isNews = verdict.verdict === 'accepted' || verdict.verdict === 'ignored';
  return isNews && reception === undefined && replay === undefined;
}

/** Once for all the units that a delivery concerns. */
function noteUse(
  store: Store,
  { hook, reception, replay, receivedAt, verdict }: IntakeRecord,
): void {
  if (!hook || reception !== undefined || replay) return;
  store.storedHooks.noteUse({
    ...{ hook: hook.name, secret: hook.secret, at: receivedAt },
    ...{ verdict: verdict.verdict, reason: verdict.reason ?? null },
  });
}

/** The hooks that deliver here are those that are asked for what has failed; each says once whose it is. */
function learnGithubHook(store: Store, record: IntakeRecord, body: Buffer): void {
  const { source, headers, reception, replay, receivedAt } = record;
  const id = headers?.['x-github-hook-id'];
  if (source !== 'github' || !headers || id === undefined || reception || replay) return;
  if (store.githubDeliveries.isLearned(id)) return;
  const hook = nameGithubHook(headers, parseObject(body));
  if (hook) store.githubDeliveries.learn(hook.name, hook.id, receivedAt);
}

function toJson(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function makeTask(
  store: Store,
  taskId: string,
  record: IntakeRecord,
  { windowMs }: TakeOverRules,
): void {
  const image = record.verdict.image ?? null;
  store.tasks.insert({
    id: taskId,
    kind: 'github-webhook',
    unit: record.unit,
    image,
    created_at: record.receivedAt,
    summary: `${record.unit} is to run the newest ${image ?? 'image'}.`,
    trigger_source: 'webhook',
    trigger_request_id: record.requestId,
    trigger_reason: record.replay ? `replay of ${record.replay.of} by ${record.replay.by}` : null,
    trigger_path: record.path,
    trigger_caller: record.hook
      ? `hook:${record.hook.name}`
      : `${record.source}:${record.delivery}`,
    webhook_digest: record.verdict.digest ?? null,
    // By a clock that was wrong when it was received it would wait for as long as that was wrong.
    not_before: Math.min(record.receivedAt, Date.now()) + windowMs,
  });
  store.taskLogs.append({
    task_id: taskId,
    ts: record.receivedAt,
    level: 'info',
    action: 'task-created',
    summary: `Delivery ${record.delivery} asked for it.`,
    meta: JSON.stringify({
      delivery: record.id,
      event: record.event,
      matched: record.verdict.matched,
    }),
  });
}

function joinTask(store: Store, task: PendingTask, record: IntakeRecord): void {
  const { id: taskId, digest: older } = task;
  const newer = record.verdict.digest ?? null;
  store.tasks.joinPending(taskId, newer, record.receivedAt);
  const isSuperseded = older !== null && newer !== null && older !== newer;
  task.digest = newer ?? older;
  store.taskLogs.append({
    task_id: taskId,
    ts: record.receivedAt,
    level: 'info',
    action: 'delivery-joined',
    summary: isSuperseded
      ? `Delivery ${record.delivery} joined: ${older} is superseded by ${newer}.`
      : `Delivery ${record.delivery} joined: one deployment answers both.`,
    meta: JSON.stringify({
      delivery: record.id,
      event: record.event,
      matched: record.verdict.matched,
    }),
  });
}
