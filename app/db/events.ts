import type { Database } from './open-database.ts';

/** Something that happened: a request, a system event. `meta` is JSON text. */
export type EventRow = {
  readonly id: number;
  readonly request_id: string;
  readonly ts: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly action: string;
  readonly code: string | null;
  readonly actor: string | null;
  readonly remote_address: string | null;
  readonly duration_us: number;
  readonly meta: string | null;
};

/** Filters of a list; `before` is the id of the last row of the page before. */
export type EventFilter = {
  readonly limit: number;
  readonly before?: number;
  readonly action?: string;
  readonly requestId?: string;
};

/** The events table, append only. */
export type EventTable = {
  /** One transaction for all. */
  insertAll(events: readonly Omit<EventRow, 'id'>[]): void;
  /** Newest first. */
  list(filter: EventFilter): EventRow[];
  /** The id of the last one; zero where there is none. */
  newest(): number;
};

/** Prepares the statements of the table. */
export function openEventTable(database: Database): EventTable {
  const insert = database.prepare(
    `INSERT INTO events (request_id, ts, method, path, status, action, code, actor, remote_address,
       duration_us, meta)
     VALUES (@request_id, @ts, @method, @path, @status, @action, @code, @actor, @remote_address,
       @duration_us, @meta)`,
  );
  const insertAll = database.transaction((events: readonly Omit<EventRow, 'id'>[]) => {
    for (const event of events) insert.run(event);
  });
  const newest = database.prepare<[], number>('SELECT coalesce(max(id), 0) FROM events').pluck();
  return {
    newest: () => newest.get() ?? 0,
    insertAll: (events) => void insertAll(events),
    list: ({ limit, before, action, requestId }) => {
      const filters: [string, string | number | undefined][] = [
        ['id < ?', before],
        ['action = ?', action],
        ['request_id = ?', requestId],
      ];
      const used = filters.filter(
        (entry): entry is [string, string | number] => entry[1] !== undefined,
      );
      const where = used.map(([condition]) => condition).join(' AND ') || '1';
      return database
        .prepare<(string | number)[], EventRow>(
          `SELECT * FROM events WHERE ${where} ORDER BY id DESC LIMIT ?`,
        )
        .all(...used.map(([, value]) => value), limit);
    },
  };
}
