import type { TaskKind, TaskStatus } from '../domain/task.ts';
import { TASK_KINDS, TASK_STATUSES } from '../domain/task.ts';
import type { Database } from './open-database.ts';
import type { TaskRow } from './tasks.ts';

/** Where a task stands in every list: newest first. */
export type TaskKey = { readonly createdAt: number; readonly id: string };

/** Which tasks are meant; each condition that is there narrows them. */
export type TaskFilter = {
  readonly statuses?: readonly TaskStatus[];
  readonly kinds?: readonly TaskKind[];
  readonly unit?: string;
  /** A part of the name of the unit, of whatever case. */
  readonly unitPart?: string;
  /** A part of summary, unit, image, error code, caller, reason or id, of whatever case. */
  readonly text?: string;
  readonly batchId?: string;
  readonly retryOf?: string;
  /** Made at this moment or later, in milliseconds since the epoch. */
  readonly from?: number;
  /** Made before this moment. */
  readonly to?: number;
  /** Those that stand behind this one: the key of the last task of the page before. */
  readonly before?: TaskKey;
  /** This one and those that stand before it. */
  readonly since?: TaskKey;
};

/** How many tasks there are of a status and a kind. */
export type TaskCount = {
  readonly status: TaskStatus;
  readonly kind: TaskKind;
  readonly count: number;
};

/** How many units of a batch have come to a status. */
export type BatchCount = {
  readonly batch_id: string;
  readonly status: TaskStatus;
  readonly count: number;
};

/** The questions of lists to the tasks table; each looks at no more than an index needs. */
export type TaskPages = {
  /** Newest first. */
  list(filter: TaskFilter & { readonly limit: number }): TaskRow[];
  count(filter: TaskFilter): TaskCount[];
  /** Of all tasks in the time of the filter the one that stands `places` behind the first; undefined: there are fewer. */
  findNth(filter: Pick<TaskFilter, 'from' | 'to' | 'before'>, places: number): TaskKey | undefined;
  /** Of several batches at once. */
  countBatches(batchIds: readonly string[]): BatchCount[];
};

/** What `text` looks into; the index `tasks_searched` holds exactly this expression. */
const SEARCHED = `summary || char(10) || unit || char(10) || coalesce(image, '') || char(10) || coalesce(error_code, '') || char(10)
  || coalesce(trigger_caller, '') || char(10) || coalesce(trigger_reason, '') || char(10) || id`;

/** Among them all tasks are. */
const EVERY = { statuses: JSON.stringify(TASK_STATUSES), kinds: JSON.stringify(TASK_KINDS) };

/** More shapes of questions than any client has; beyond that the oldest is prepared anew. */
const MAX_STATEMENTS = 100;

/** Prepares each question when it is asked for the first time. */
export function openTaskPages(database: Database): TaskPages {
  const known = new Map<string, ReturnType<Database['prepare']>>();
  const prepare = (sql: string) => {
    const found = known.get(sql) ?? database.prepare(sql);
    // Behind all others, so that the first one is the one that nobody has asked for longest.
    known.delete(sql);
    known.set(sql, found);
    const [oldest] = known.keys();
    if (known.size > MAX_STATEMENTS && oldest !== undefined) known.delete(oldest);
    return found;
  };
  const countBatches = database.prepare<[string], BatchCount>(
    `SELECT batch_id, status, count(*) AS count FROM tasks
     WHERE batch_id IN (SELECT value FROM json_each(?)) GROUP BY batch_id, status`,
  );
  return {
    list: (filter) =>
      prepare(listStatement(filter)).all({ ...bind(filter), limit: filter.limit }) as TaskRow[],
    count: (filter) =>
      prepare(countStatement(filter)).all({ ...EVERY, ...bind(filter) }) as TaskCount[],
    findNth: (filter, places) => {
      const sql = `SELECT created_at AS createdAt, id FROM tasks INDEXED BY tasks_by_time
        WHERE ${conditionsOf(filter)} ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET @places`;
      return prepare(sql).get({ ...bind(filter), places }) as TaskKey | undefined;
    },
    countBatches: (batchIds) => countBatches.all(JSON.stringify(batchIds)),
  };
}

function listStatement(filter: TaskFilter): string {
  const index = chooseIndex(filter);
  const order = 'ORDER BY created_at DESC, id DESC LIMIT @limit';
  const { statuses = TASK_STATUSES, kinds = TASK_KINDS, ...others } = filter;
  const select = (where: string) =>
    `SELECT created_at, id, rowid AS row FROM tasks INDEXED BY ${index} WHERE ${where}`;
  const isSorted = index !== 'tasks_by_status' && index !== 'tasks_searched';
  // An index that begins with status and kind is in order for one of each; SQLite merges them as it goes.
  const where = isSorted
    ? [conditionsOf(filter)]
    : statuses.flatMap((status) =>
        kinds.map(
          (kind) => `status = '${status}' AND kind = '${kind}' AND ${conditionsOf(others)}`,
        ),
      );
  return `SELECT tasks.* FROM (${where.map(select).join(' UNION ALL ')} ${order}) AS page
    CROSS JOIN tasks ON tasks.rowid = page.row ORDER BY tasks.created_at DESC, tasks.id DESC`;
}

function countStatement(filter: TaskFilter): string {
  const { batchId, retryOf, text } = filter;
  if (batchId !== undefined || retryOf !== undefined) {
    return `SELECT status, kind, count(*) AS count FROM tasks INDEXED BY ${chooseIndex(filter)}
      WHERE ${conditionsOf(filter)} GROUP BY status, kind`;
  }
  // For each of both the index goes straight to the time that is meant, and nothing is sorted.
  const index = text === undefined ? 'tasks_by_status' : 'tasks_searched';
  return `SELECT one.value AS status, other.value AS kind, (
      SELECT count(*) FROM tasks INDEXED BY ${index}
      WHERE status = one.value AND kind = other.value AND ${conditionsOf(filter)}
    ) AS count FROM json_each(@statuses) AS one, json_each(@kinds) AS other`;
}

/** SQLite knows nothing of how many tasks there are of what, so it is told. */
function chooseIndex({ batchId, retryOf, text, unit, statuses, kinds }: TaskFilter): string {
  if (batchId !== undefined) return 'tasks_by_batch';
  if (retryOf !== undefined) return 'tasks_by_retry';
  if (text !== undefined) return 'tasks_searched';
  if (unit !== undefined) return 'tasks_by_unit';
  return statuses || kinds ? 'tasks_by_status' : 'tasks_by_time';
}

/** Names of closed lists stand in the text, whatever else comes from outside is a parameter. */
function conditionsOf(filter: TaskFilter): string {
  const { statuses, kinds, unit, unitPart, text, batchId, retryOf } = filter;
  const { newest, oldest } = boundsOf(filter);
  const conditions = [
    newest && '(created_at, id) < (@newestAt, @newestId)',
    oldest && '(created_at, id) >= (@oldestAt, @oldestId)',
    statuses && `status IN (${quote(statuses)})`,
    kinds && `kind IN (${quote(kinds)})`,
    batchId !== undefined && 'batch_id = @batchId',
    retryOf !== undefined && 'retry_of = @retryOf',
    unit !== undefined && 'unit = @unit',
    unitPart !== undefined && "unit LIKE @unitPart ESCAPE '\\'",
    text !== undefined && `(${SEARCHED}) LIKE @text ESCAPE '\\'`,
  ];
  return conditions.filter((condition) => typeof condition === 'string').join(' AND ') || '1';
}

function quote(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}

/** Of two bounds on one side an index uses one, so only the closer one is told. */
function boundsOf({ from, to, before, since }: TaskFilter) {
  const end = to === undefined ? undefined : { createdAt: to, id: '' };
  const begin = from === undefined ? undefined : { createdAt: from, id: '' };
  return {
    newest: before && end ? (isOlder(before, end) ? before : end) : (before ?? end),
    oldest: since && begin ? (isOlder(since, begin) ? begin : since) : (since ?? begin),
  };
}

function isOlder(one: TaskKey, other: TaskKey): boolean {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt;
  return one.id < other.id;
}

function bind(filter: TaskFilter): object {
  const { unit, unitPart, text, batchId, retryOf } = filter;
  const { newest, oldest } = boundsOf(filter);
  return {
    ...{ unit, batchId, retryOf },
    ...{ newestAt: newest?.createdAt, newestId: newest?.id },
    ...{ oldestAt: oldest?.createdAt, oldestId: oldest?.id },
    text: text === undefined ? undefined : toPattern(text),
    unitPart: unitPart === undefined ? undefined : toPattern(unitPart),
  };
}

/** A pattern of LIKE that finds the text anywhere, taken as it is. */
function toPattern(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
