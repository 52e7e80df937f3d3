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

/** The last request to a stored hook that was not let in. */
export type RefusedHookRow = {
  readonly name: string;
  readonly ts: number;
  /** As it is in the event, see `HOOK_REFUSALS`. */
  readonly reason: string | null;
  readonly remote_address: string | null;
};

/** What is known of the paths that webhooks are sent to. */
export type HookReads = {
  /** Of each path and each of the codes (null: none) the last request; one look into an index for each. */
  lastOf(paths: readonly string[], codes: readonly (string | null)[]): HookRow[];
  /** When the last delivery was accepted for each unit; those are missing for which none was. */
  lastAccepted(units: readonly string[]): ReadonlyMap<string, number>;
  /** The last refusal of each stored hook; those are missing for which there is none in the event log. */
  lastRefused(names: readonly string[]): ReadonlyMap<string, RefusedHookRow>;
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
  const refused = database.prepare<[string], RefusedHookRow>(
    `SELECT newest.name, e.ts, e.meta ->> '$.refused' AS reason, e.remote_address FROM (
       SELECT n.value AS name, (SELECT max(id) FROM events WHERE action = 'hook' AND code = 'HOOK_REFUSED'
         AND path IN ('/hooks/' || n.value, '/hooks/' || n.value || '/***')) AS id
       FROM json_each(?) AS n
     ) AS newest JOIN events AS e ON e.id = newest.id`,
  );
  return {
    lastRefused: (names) =>
      new Map(refused.all(JSON.stringify(names)).map((row) => [row.name, row])),
    lastOf: (paths, codes) => last.all(JSON.stringify(paths), JSON.stringify(codes)),
    lastAccepted: (units) =>
      new Map(
        accepted
          .all(JSON.stringify(units))
          .flatMap(({ unit, at }) => (at === null ? [] : [[unit, at] as const])),
      ),
  };
}
