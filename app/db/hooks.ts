import type { Database } from './open-database.ts';

/** The last request to a path that was answered so. Times are milliseconds since the epoch. */
export type HookRow = {
  readonly id: number;
  readonly path: string;
  readonly request_id: string;
  readonly ts: number;
  readonly status: number;
  /** Null where it went well. */
  readonly code: string | null;
};

/** What is known of the paths that webhooks are sent to. */
export type HookReads = {
  /** Of each path and each of the codes (null: none) the last request; one look into an index for each. */
  lastOf(paths: readonly string[], codes: readonly (string | null)[]): HookRow[];
  /** When the last delivery was accepted for each unit; those are missing for which none was. */
  lastAccepted(units: readonly string[]): ReadonlyMap<string, number>;
};

/** Prepares the statements. */
export function openHookReads(database: Database): HookReads {
  const last = database.prepare<[string, string], HookRow>(
    `SELECT e.id, e.path, e.request_id, e.ts, e.status, e.code FROM (
       SELECT (SELECT max(id) FROM events
         WHERE action = 'github-webhook' AND path = p.value AND code IS c.value) AS id
       FROM json_each(?) AS p CROSS JOIN json_each(?) AS c
     ) AS newest JOIN events AS e ON e.id = newest.id`,
  );
  const accepted = database.prepare<[string], { unit: string; at: number | null }>(
    `SELECT u.value AS unit, (SELECT max(received_at) FROM deliveries
       WHERE unit = u.value AND verdict = 'accepted') AS at
     FROM json_each(?) AS u`,
  );
  return {
    lastOf: (paths, codes) => last.all(JSON.stringify(paths), JSON.stringify(codes)),
    lastAccepted: (units) =>
      new Map(
        accepted
          .all(JSON.stringify(units))
          .flatMap(({ unit, at }) => (at === null ? [] : [[unit, at] as const])),
      ),
  };
}
