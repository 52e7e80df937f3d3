import type { Failure } from '../../shared/contract/outcome.ts';
import type { FoundUnit, UnitSource } from '../domain/found-unit.ts';
import type { Database } from './open-database.ts';

/** A unit as it was found in one place. Times are milliseconds since the epoch. */
export type DiscoveredRow = FoundUnit & {
  readonly source: UnitSource;
  readonly firstSeenAt: number;
  /** When the last whole sweep of that place has ended. */
  readonly lastSeenAt: number;
};

/** How looking into one place has gone. */
export type SweepRow = {
  readonly source: UnitSource;
  /** The end of the last whole sweep; null: there was none. */
  readonly swept_at: number | null;
  /** Since when it fails; null: it does not. */
  readonly failed_at: number | null;
  readonly code: string | null;
  readonly detail: string | null;
};

/** The tables discovered_units and discovery_sweeps, for one host and scope at a time. */
export type DiscoveredUnitTable = {
  /** By unit, then source. */
  list(host: string): DiscoveredRow[];
  listSweeps(host: string): SweepRow[];
  /** Takes in a whole sweep of one source: what it no longer shows is removed. Whether anything else than its time changed. */
  record(host: string, source: UnitSource, found: readonly FoundUnit[], nowMs: number): boolean;
  /** A sweep has failed: what was found before stays. */
  fail(host: string, source: UnitSource, failure: Failure, nowMs: number): void;
};

type Row = {
  readonly unit: string;
  readonly source: UnitSource;
  readonly path: string | null;
  readonly image: string | null;
  readonly is_auto_updated: 0 | 1;
  readonly has_policy: 0 | 1;
  readonly webhook_enabled: 0 | 1 | null;
  readonly fault: string | null;
  readonly first_seen_at: number;
  readonly last_seen_at: number;
};

/** Prepares the statements of both. */
export function openDiscoveredUnitTable(database: Database): DiscoveredUnitTable {
  const list = database.prepare<[string], Row>(
    `SELECT found.*, swept_at AS last_seen_at FROM discovered_units AS found
       JOIN discovery_sweeps AS sweep ON sweep.source = found.source
     WHERE host = ? ORDER BY unit, found.source`,
  );
  const listSweeps = database.prepare<[string], SweepRow>(
    `SELECT source, swept_at, failed_at, code, detail FROM discovery_sweeps WHERE host = ? ORDER BY source`,
  );
  const forgetOthers = database.prepare(
    `DELETE FROM discovered_units WHERE source = @source
       AND NOT EXISTS (SELECT 1 FROM discovery_sweeps WHERE source = @source AND host = @host)`,
  );
  const remove = database.prepare(
    `DELETE FROM discovered_units WHERE source = @source
       AND unit NOT IN (SELECT value ->> 'unit' FROM json_each(@found))`,
  );
  const put = database.prepare(
    `INSERT INTO discovered_units (unit, source, path, image, is_auto_updated, has_policy, webhook_enabled, fault, first_seen_at)
     SELECT value ->> 'unit', @source, value ->> 'path', value ->> 'image', value ->> 'isAutoUpdated',
       value ->> 'hasPolicy', value ->> 'webhookEnabled', value ->> 'fault', @now FROM json_each(@found) WHERE true
     ON CONFLICT (unit, source) DO UPDATE SET path = excluded.path, image = excluded.image,
       is_auto_updated = excluded.is_auto_updated, has_policy = excluded.has_policy,
       webhook_enabled = excluded.webhook_enabled, fault = excluded.fault
     WHERE (path, image, is_auto_updated, has_policy, webhook_enabled, fault) IS NOT (excluded.path, excluded.image,
       excluded.is_auto_updated, excluded.has_policy, excluded.webhook_enabled, excluded.fault)`,
  );
  const noteEnd = database.prepare(
    `INSERT INTO discovery_sweeps (source, host, swept_at) VALUES (@source, @host, @now)
     ON CONFLICT (source) DO UPDATE SET host = excluded.host, swept_at = excluded.swept_at,
       failed_at = NULL, code = NULL, detail = NULL`,
  );
  const noteFailure = database.prepare(
    `INSERT INTO discovery_sweeps (source, host, failed_at, code, detail) VALUES (@source, @host, @now, @code, @detail)
     ON CONFLICT (source) DO UPDATE SET host = excluded.host, code = excluded.code, detail = excluded.detail,
       failed_at = iif(host = excluded.host, coalesce(failed_at, excluded.failed_at), excluded.failed_at),
       swept_at = iif(host = excluded.host, swept_at, NULL)`,
  );
  const record = database.transaction(
    (host: string, source: UnitSource, units: readonly FoundUnit[], now: number) => {
      const found = JSON.stringify(units);
      let changes = forgetOthers.run({ source, host }).changes;
      changes += remove.run({ source, found }).changes;
      changes += put.run({ source, found, now }).changes;
      noteEnd.run({ source, host, now });
      return changes > 0;
    },
  );
  const fail = database.transaction(
    (host: string, source: UnitSource, by: Failure, now: number) => {
      forgetOthers.run({ source, host });
      noteFailure.run({ source, host, now, code: by.code, detail: by.detail });
    },
  );
  return {
    list: (host) => list.all(host).map(toFound),
    listSweeps: (host) => listSweeps.all(host),
    record: (...sweep) => record.immediate(...sweep),
    fail: (...failed) => fail.immediate(...failed),
  };
}

function toFound(row: Row): DiscoveredRow {
  return {
    unit: row.unit,
    source: row.source,
    path: row.path,
    image: row.image,
    isAutoUpdated: row.is_auto_updated === 1,
    hasPolicy: row.has_policy === 1,
    webhookEnabled: row.webhook_enabled === null ? null : row.webhook_enabled === 1,
    fault: row.fault,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  };
}
