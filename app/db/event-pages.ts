import { type EventBlocks, openEventBlocks } from './event-blocks.ts';
import type { EventRow } from './event-row.ts';
import type { Database } from './open-database.ts';

/** What a list is narrowed to; everything that is given must fit. */
export type EventFilter = {
  readonly action?: string | undefined;
  /** Exactly this one. */
  readonly status?: number | undefined;
  /** The first digit of the status. */
  readonly statusClass?: number | undefined;
  readonly method?: string | undefined;
  readonly requestId?: string | undefined;
  readonly taskId?: string | undefined;
  readonly actor?: string | undefined;
  /** How the path begins. */
  readonly path?: string | undefined;
  /** The first millisecond since 1970. */
  readonly from?: number | undefined;
  /** The first millisecond that is too late. */
  readonly to?: number | undefined;
};

/** Which page: `limit` rows at most, with ids below `before`. */
export type EventQuery = EventFilter & {
  readonly limit: number;
  readonly before?: number | undefined;
};

/** Rows that fit, newest first. There may be fewer than the limit, even none, and yet more to come. */
export type EventPage = {
  readonly rows: readonly EventRow[];
  /** `before` of the next page; null where nothing is left to look at. */
  readonly next: number | null;
  /** The time of the oldest row that was looked at where something is left; else null. */
  readonly lookedBackTo: number | null;
};

/** What one page looks at: so many ids in a row, or so many rows here and there. */
export type PageBounds = { readonly ids: number; readonly rows: number };

/** Some ten milliseconds. */
const BOUNDS: PageBounds = { ids: 20_000, rows: 5_000 };

/** The columns that lead to rows, the most telling first, with what has to be said for their index to be used. */
const WAYS = {
  requestId: { index: 'events_by_request', term: 'request_id = @requestId' },
  taskId: { index: 'events_by_task', term: 'task_id = @taskId' },
  actor: { index: 'events_by_actor', term: 'actor = @actor' },
  action: { index: 'events_by_action', term: 'action = @action' },
  status: { index: 'events_by_status', term: 'status = @status' },
  statusClass: {
    index: 'events_by_failure',
    term: 'status >= 300 AND status / 100 = @statusClass',
  },
  method: { index: 'events_by_method', term: 'method = @method' },
} as const;
type Way = keyof typeof WAYS;

/** Every condition at once: one that is not asked for is null and costs next to nothing. */
const FITS = `(@requestId IS NULL OR request_id = @requestId) AND (@taskId IS NULL OR task_id = @taskId)
  AND (@actor IS NULL OR actor = @actor) AND (@action IS NULL OR action = @action)
  AND (@status IS NULL OR status = @status) AND (@statusClass IS NULL OR status / 100 = @statusClass)
  AND (@method IS NULL OR method = @method) AND (@path IS NULL OR substr(path, 1, length(@path)) = @path)
  AND (@from IS NULL OR ts >= @from) AND (@to IS NULL OR ts < @to)`;
const IN_RANGE = 'id >= @low AND id < @high';
const WITH_PATH = 'FROM events INDEXED BY events_by_path WHERE path >= @path AND path < @pathEnd';

type Values = Readonly<Record<string, string | number | null>>;
/** Which rows are looked at: through an index, or all; ids from `low` on. */
type Plan = { readonly source: string; readonly low: number };

/** Finds pages of events, each in bounded time. */
export class EventPages {
  readonly #database: Database;
  readonly #blocks: EventBlocks;
  readonly #bounds: PageBounds;
  /** By their text, of which there are some twenty: a task has no use for them, so none is prepared ahead. */
  readonly #statements = new Map<string, ReturnType<Database['prepare']>>();

  constructor(database: Database, bounds = BOUNDS) {
    this.#database = database;
    this.#bounds = bounds;
    this.#blocks = openEventBlocks(database);
  }

  /** One page. */
  find({ limit, before, ...filter }: EventQuery): EventPage {
    const range = this.#findRange(filter, before);
    if (!range) return { rows: [], next: null, lookedBackTo: null };
    const values = toValues(filter);
    const plan = this.#plan(filter, values, range);
    const rows = this.#all<EventRow>(
      `SELECT * FROM ${plan.source} AND ${IN_RANGE} AND ${FITS} ORDER BY id DESC LIMIT @limit`,
      { ...values, low: plan.low, high: range.high, limit: limit + 1 },
    );
    if (rows.length > limit) {
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { rows: page, next: last?.id ?? null, lookedBackTo: last?.ts ?? null };
    }
    if (plan.low <= range.low) return { rows, next: null, lookedBackTo: null };
    const [oldest] = this.#all<Pick<EventRow, 'ts'>>(
      'SELECT ts FROM events WHERE id >= @low ORDER BY id LIMIT 1',
      { low: plan.low },
    );
    return { rows, next: plan.low, lookedBackTo: oldest?.ts ?? null };
  }

  /** The ids that can fit; undefined where none can. */
  #findRange({ from, to }: EventFilter, before: number | undefined) {
    const ends = this.#all<{ low: number | null; high: number | null }>(
      'SELECT (SELECT min(id) FROM events) AS low, (SELECT max(id) FROM events) AS high',
      {},
    )[0];
    if (!ends || ends.low === null || ends.high === null) return undefined;
    const times =
      from === undefined && to === undefined
        ? { low: 0, high: Number.MAX_SAFE_INTEGER }
        : this.#blocks.find(from ?? Number.MIN_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER);
    if (!times) return undefined;
    const low = Math.max(ends.low, times.low);
    const high = Math.min(ends.high + 1, times.high, before ?? Number.MAX_SAFE_INTEGER);
    return high > low ? { low, high } : undefined;
  }

  /** Of all ways to look at a bounded number of rows the one that gets furthest back. */
  #plan(filter: EventFilter, values: Values, range: { low: number; high: number }): Plan {
    let best: Plan = {
      source: 'events WHERE true',
      low: Math.max(range.low, range.high - this.#bounds.ids),
    };
    for (const way of Object.keys(WAYS) as Way[]) {
      if (best.low <= range.low) return best;
      if (filter[way] === undefined || (way === 'statusClass' && !hasIndex(filter))) continue;
      const { index, term } = WAYS[way];
      const source = `events INDEXED BY ${index} WHERE ${term}`;
      const [last] = this.#all<{ id: number }>(
        `SELECT id FROM ${source} AND ${IN_RANGE} ORDER BY id DESC LIMIT 1 OFFSET @skip`,
        { ...values, ...range, skip: this.#bounds.rows - 1 },
      );
      const low = last?.id ?? range.low;
      if (low < best.low) best = { source, low };
    }
    if (filter.path === undefined || best.low <= range.low || !this.#isRare(values)) return best;
    return { source: `events WHERE id IN (SELECT id ${WITH_PATH})`, low: range.low };
  }

  /** Whether so few paths begin like this that all of them can be looked at. */
  #isRare(values: Values): boolean {
    const [found] = this.#all<{ count: number }>(
      `SELECT count(*) AS count FROM (SELECT 1 ${WITH_PATH} LIMIT @limit)`,
      { ...values, limit: this.#bounds.rows + 1 },
    );
    return found !== undefined && found.count <= this.#bounds.rows;
  }

  #all<Row>(sql: string, values: Values): Row[] {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(values) as Row[];
  }
}

/** Of successes there is no index by class. */
function hasIndex({ statusClass = 0 }: EventFilter): boolean {
  return statusClass >= 3;
}

function toValues(filter: EventFilter): Values {
  const { path } = filter;
  return {
    action: filter.action ?? null,
    status: filter.status ?? null,
    statusClass: filter.statusClass ?? null,
    method: filter.method ?? null,
    requestId: filter.requestId ?? null,
    taskId: filter.taskId ?? null,
    actor: filter.actor ?? null,
    path: path ?? null,
    // No character comes behind this one.
    pathEnd: path === undefined ? null : `${path}\u{10ffff}`,
    from: filter.from ?? null,
    to: filter.to ?? null,
  };
}
