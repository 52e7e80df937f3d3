import { MAINTENANCE_UNIT } from '../domain/maintenance.ts';
import {
  cutoffsOf,
  type PRUNED_TABLES,
  type Retention,
  TASKS_KEPT_PER_UNIT,
} from '../domain/retention.ts';
import type { Database } from './open-database.ts';

/** The tables but that of events, which is a chain. */
export type PrunedTable = Exclude<(typeof PRUNED_TABLES)[number], 'events'>;

/** What is older than it is kept for. */
export type Pruning = {
  /** How many rows would go. */
  count(table: PrunedTable, retention: Retention, nowMs: number): number;
  /** Removes at most `limit` of them in one transaction, the oldest first; how many. */
  remove(table: PrunedTable, retention: Retention, nowMs: number, limit: number): number;
};

/**
 * What stays: a unit may still be brought back by it, it is one of the last of its unit, its last success, the last that
 * brought what its tag means, or says when maintenance was last done.
 */
const OLD_TASKS = `tasks AS old WHERE old.created_at < @runs AND old.finished_at < @runs
  AND (old.created_at < @tasks AND old.finished_at < @tasks OR old.unit = '${MAINTENANCE_UNIT}' AND old.status = 'succeeded')
  AND NOT EXISTS (SELECT 1 FROM deployments WHERE task_id = old.id AND stage <> 'ended')
  AND (SELECT count(*) FROM (SELECT 1 FROM tasks AS newer WHERE newer.unit = old.unit
         AND (newer.created_at, newer.id) > (old.created_at, old.id) LIMIT ${TASKS_KEPT_PER_UNIT})) = ${TASKS_KEPT_PER_UNIT}
  AND old.id IS NOT (SELECT last.id FROM tasks AS last WHERE last.unit = old.unit AND last.status = 'succeeded'
         AND last.wanted IS NULL ORDER BY last.created_at DESC, last.id DESC LIMIT 1)
  AND old.id IS NOT (SELECT last.id FROM tasks AS last WHERE last.unit = old.unit AND last.status = 'succeeded'
         ORDER BY last.created_at DESC, last.id DESC LIMIT 1)
  AND (old.kind <> 'maintenance' OR old.id IS NOT (SELECT last.id FROM tasks AS last WHERE last.unit = old.unit
         AND last.input IS old.input ORDER BY last.created_at DESC, last.id DESC LIMIT 1))
  ORDER BY old.created_at, old.id`;

const OLD_DELIVERIES = `deliveries AS old WHERE old.received_at < @deliveries
  AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = old.task_id AND tasks.status IN ('pending', 'running'))
  ORDER BY old.received_at`;

/** Key and rows of each table that go. A guard that is still there has to be taken away before its row. */
const EXPIRED: Readonly<Record<PrunedTable, readonly [key: string, rows: string]>> = {
  tasks: ['id', OLD_TASKS],
  deliveries: ['id', OLD_DELIVERIES],
  delivery_bodies: [
    'delivery',
    'delivery_bodies AS old WHERE old.received_at < @bodies ORDER BY old.received_at',
  ],
  refused_deliveries: [
    'id',
    'refused_deliveries AS old WHERE old.last_at < @bodies ORDER BY old.last_at',
  ],
  missed_deliveries: [
    'id',
    'missed_deliveries AS old WHERE old.found_at < @deliveries ORDER BY old.id',
  ],
  // Seen with each look for missed deliveries, while the unit is known.
  tracked_tags: [
    'unit',
    `tracked_tags AS old WHERE old.seen_at < @deliveries AND coalesce(old.pushed_at, 0) < @deliveries
       ORDER BY old.seen_at`,
  ],
  image_sightings: [
    'unit, digest',
    'image_sightings AS old WHERE old.first_at < @sightings ORDER BY old.first_at',
  ],
  quarantined_images: [
    'unit, digest',
    `quarantined_images AS old WHERE old.expires_at < @tasks AND old.guard IS NULL ORDER BY old.expires_at`,
  ],
  plans: ['id', 'plans AS old WHERE old.expires_at < @now ORDER BY old.expires_at'],
  idempotency_keys: [
    'key',
    'idempotency_keys AS old WHERE old.created_at < @answers ORDER BY old.created_at',
  ],
  update_checks: [
    'unit',
    'update_checks AS old WHERE old.checked_at < @caches ORDER BY old.checked_at',
  ],
  registry_tags: [
    'image',
    'registry_tags AS old WHERE old.checked_at < @caches ORDER BY old.checked_at',
  ],
  index_manifests: [
    'index_digest, platform, digest',
    `index_manifests AS old WHERE NOT EXISTS (SELECT 1 FROM registry_tags
       WHERE registry_tags.digest = old.index_digest AND registry_tags.checked_at >= @caches) ORDER BY old.index_digest`,
  ],
  registry_hosts: [
    'host',
    'registry_hosts AS old WHERE old.updated_at < @caches ORDER BY old.updated_at',
  ],
  auto_update_imports: [
    'name',
    'auto_update_imports AS old WHERE old.imported_at < @caches ORDER BY old.imported_at',
  ],
  failed_credentials: [
    'kind, address',
    'failed_credentials AS old WHERE max(old.last_at, old.good_at) < @answers ORDER BY old.last_at',
  ],
  revocations: [
    'kind, name, made',
    'revocations AS old WHERE old.at < @revocations ORDER BY old.at',
  ],
  rate_limit_tokens: ['id', 'rate_limit_tokens AS old WHERE old.at < @calls ORDER BY old.id'],
};

/** Prepares the statements. */
export function openPruning(database: Database): Pruning {
  const prepared = Object.fromEntries(
    Object.entries(EXPIRED).map(([table, [key, rows]]) => [
      table,
      {
        count: database
          .prepare<object, number>(`SELECT count(*) FROM (SELECT 1 FROM ${rows})`)
          .pluck(),
        remove: database.prepare<object>(
          `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${rows} LIMIT @limit)`,
        ),
      },
    ]),
  );
  return {
    count: (table, retention, now) => prepared[table]?.count.get(cutoffsOf(retention, now)) ?? 0,
    remove: (table, retention, now, limit) =>
      prepared[table]?.remove.run({ ...cutoffsOf(retention, now), limit }).changes ?? 0,
  };
}
