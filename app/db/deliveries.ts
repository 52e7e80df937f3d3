import type { DeliverySender } from '../domain/delivery-key.ts';
import { type DeliveryPages, openDeliveryPages } from './delivery-pages.ts';
import type { Database } from './open-database.ts';

/** One webhook delivery with a good signature, as it was understood. */
export type DeliveryRow = {
  readonly id: string;
  readonly received_at: number;
  readonly source: string;
  readonly delivery: string;
  readonly event: string;
  readonly path: string;
  readonly remote_address: string;
  readonly unit: string;
  readonly verdict: string;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly image: string | null;
  readonly matched: string | null;
  readonly digest: string | null;
  readonly body_sha256: string;
  readonly body_bytes: number;
  readonly task_id: string | null;
  /** The hook that let it in; null on the path that is a unit's own. */
  readonly hook: string | null;
  /** The id of the first row of the same delivery, its own where it is that one; null in rows of earlier versions. */
  readonly reception: string | null;
  /** What its sender said beside the body, as JSON. */
  readonly headers: string | null;
  /** What was read out of it, as JSON; see `Understood`. */
  readonly understood: string | null;
  /** 1: what it says was pushed has to be found at the registry before anything is deployed. */
  readonly needs_proof: 0 | 1;
  /** The delivery that this one does anew, at the word of a person; null: it came over HTTP. */
  readonly replay_of: string | null;
  /** Who wanted that. */
  readonly replayed_by: string | null;
};

/** The deliveries table. */
export type DeliveryTable = DeliveryPages & {
  /** False when a record of that id is there already (taken over before a crash). */
  insert(row: DeliveryRow): boolean;
  /** Says which task answers a delivery. */
  setTask(id: string, taskId: string): void;
  /**
   * An accepted delivery of that id to that unit whose task has not gone wrong. GitHub sends one GUID to every hook
   * that subscribes to the event, so it says nothing without the unit; another hook may be another sender.
   */
  findLive(
    sender: DeliverySender,
    delivery: string,
    unit: string,
  ): { readonly id: string } | undefined;
  /** The tasks of deliveries, null where one led to none; those are missing that are not there (yet). */
  findTasks(ids: readonly string[]): ReadonlyMap<string, string | null>;
  /**
   * The digests that were said to have been pushed, the last one first and at most 5, where nobody has said so who can prove it;
   * none where somebody has, or none was named.
   */
  listUnproven(taskId: string): string[];
  /** The hooks of the deliveries that led to a task, each once; null stands for the path that is a unit's own. */
  listHooks(taskId: string): (string | null)[];
  /** The deliveries that led to a task, oldest first, at most 100. */
  listByTask(taskId: string): DeliveryRow[];
};

const COLUMNS = [
  'id',
  'received_at',
  'source',
  'delivery',
  'event',
  'path',
  'remote_address',
  'unit',
  'verdict',
  'reason',
  'detail',
  'image',
  'matched',
  'digest',
  'body_sha256',
  'body_bytes',
  'task_id',
  'hook',
  'reception',
  'headers',
  'understood',
  'needs_proof',
  'replay_of',
  'replayed_by',
] as const;

/** What was skipped because it runs already counts; not what was held back, which a person may have let go of since. */
const LIVE = `delivery = ? AND unit = ? AND verdict = 'accepted'
  AND (SELECT CASE WHEN status = 'skipped' AND running_digest IS NULL THEN 'held' ELSE status END
       FROM tasks WHERE tasks.id = task_id)
    IN ('pending', 'running', 'succeeded', 'skipped')
  LIMIT 1`;

/** Prepares the statements of the table. */
export function openDeliveryTable(database: Database): DeliveryTable {
  const insert = database.prepare(
    `INSERT INTO deliveries (${COLUMNS.join(', ')})
     VALUES (${COLUMNS.map((column) => `@${column}`).join(', ')})
     ON CONFLICT (id) DO NOTHING`,
  );
  const setTask = database.prepare('UPDATE deliveries SET task_id = ? WHERE id = ?');
  const findLive = database.prepare<[string, string, string], { id: string }>(
    `SELECT id FROM deliveries WHERE source = ? AND hook IS NULL AND ${LIVE}`,
  );
  const findLiveOfHook = database.prepare<[string, string, string], { id: string }>(
    `SELECT id FROM deliveries WHERE hook = ? AND ${LIVE}`,
  );
  const findTasks = database
    .prepare<[string], [string, string | null]>(
      'SELECT id, task_id FROM deliveries WHERE id IN (SELECT value FROM json_each(?))',
    )
    .raw();
  const listByTask = database.prepare<[string], DeliveryRow>(
    'SELECT * FROM deliveries WHERE task_id = ? ORDER BY received_at, id LIMIT 100',
  );
  const listUnproven = database
    .prepare<[string, string], string>(
      `SELECT coalesce(digest, understood ->> '$.digest') AS said FROM deliveries
       WHERE task_id = ? AND said IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM deliveries WHERE task_id = ? AND needs_proof = 0)
       GROUP BY said ORDER BY max(received_at) DESC, max(id) DESC LIMIT 5`,
    )
    .pluck();
  const listHooks = database
    .prepare<[string], string | null>('SELECT DISTINCT hook FROM deliveries WHERE task_id = ?')
    .pluck();
  return {
    listUnproven: (taskId) => listUnproven.all(taskId, taskId),
    listHooks: (taskId) => listHooks.all(taskId),
    ...openDeliveryPages(database),
    insert: (row) => insert.run(row).changes === 1,
    setTask: (id, taskId) => void setTask.run(taskId, id),
    findLive: ({ source, hook }, delivery, unit) =>
      hook === undefined
        ? findLive.get(source, delivery, unit)
        : findLiveOfHook.get(hook, delivery, unit),
    findTasks: (ids) => new Map(findTasks.all(JSON.stringify(ids))),
    listByTask: (taskId) => listByTask.all(taskId),
  };
}
