import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { type AccessSessionTable, openAccessSessionTable } from './access-sessions.ts';
import { type AccessTokenTable, openAccessTokenTable } from './access-tokens.ts';
import { type AttentionTable, openAttentionTable } from './attention.ts';
import { type AutoUpdateImportTable, openAutoUpdateImportTable } from './auto-update-imports.ts';
import { type DatabaseChecks, prepareChecks } from './check-database.ts';
import { type DeliveryTable, openDeliveryTable } from './deliveries.ts';
import { type DeliveryBodyTable, openDeliveryBodyTable } from './delivery-bodies.ts';
import { type DeploymentTable, openDeploymentTable } from './deployments.ts';
import { type DiscoveredUnitTable, openDiscoveredUnitTable } from './discovered-units.ts';
import { type DispatchingTable, openDispatchingTable } from './dispatching.ts';
import { type EventTable, openEventTable } from './events.ts';
import { describeSqliteError } from './explain-database-error.ts';
import { type FailedCredentialTable, openFailedCredentials } from './failed-credentials.ts';
import { MIGRATIONS } from './generated-migrations.ts';
import { type GithubDeliveryTables, openGithubDeliveryTables } from './github-deliveries.ts';
import { type HookReads, openHookReads } from './hooks.ts';
import { type IdempotencyTable, openIdempotencyTable } from './idempotency-keys.ts';
import { openSightingTable, type SightingTable } from './image-sightings.ts';
import { migrateDatabase } from './migrate-database.ts';
import { type MissedDeliveryTable, openMissedDeliveryTable } from './missed-deliveries.ts';
import { type Database, openDatabase } from './open-database.ts';
import { openTables } from './open-tables.ts';
import { openPlanTable, type PlanTable } from './plans.ts';
import { openPruning, type Pruning } from './prune-tables.ts';
import { openQuarantineTable, type QuarantineTable } from './quarantined-images.ts';
import { openRateLimitTable, type RateLimitTable } from './rate-limit-tokens.ts';
import { openRefusedDeliveryTable, type RefusedDeliveryTable } from './refused-deliveries.ts';
import { openRegistryAnswers, type RegistryAnswers } from './registry-answers.ts';
import {
  openRevocationTable,
  type RevocationTable,
  type SettledRevocations,
} from './revocations.ts';
import { openScheduleTickTable, type ScheduleTickTable } from './schedule-ticks.ts';
import { shrinkDatabase } from './shrink-database.ts';
import { openSpoolSegmentTable, type SpoolSegmentTable } from './spool-segments.ts';
import { openStoredHookTable, type StoredHookTable } from './stored-hooks.ts';
import { openTaskChangeTable, type TaskChangeTable } from './task-changes.ts';
import { openTaskLogTable, type TaskLogTable } from './task-logs.ts';
import { openTaskTable, type TaskTable } from './tasks.ts';
import { tellErrors } from './tell-errors.ts';
import { openTotals, type Totals } from './totals.ts';
import { openTrackedTagTable, type TrackedTagTable } from './tracked-tags.ts';
import { openUpdateCheckTable, type UpdateCheckTable } from './update-checks.ts';

/** The open, migrated database with all its tables. */
export type Store = DatabaseChecks & {
  readonly schema: number;
  /** When it was made, in milliseconds. */
  readonly madeAt: number;
  /** What was found to be revoked, by the file beside it, when it was opened. */
  readonly settled: SettledRevocations;
  readonly revocations: RevocationTable;
  readonly accessTokens: AccessTokenTable;
  readonly accessSessions: AccessSessionTable;
  readonly deliveries: DeliveryTable;
  readonly deliveryBodies: DeliveryBodyTable;
  readonly refusedDeliveries: RefusedDeliveryTable;
  readonly events: EventTable;
  readonly hooks: HookReads;
  readonly storedHooks: StoredHookTable;
  readonly trackedTags: TrackedTagTable;
  readonly githubDeliveries: GithubDeliveryTables;
  readonly missedDeliveries: MissedDeliveryTable;
  readonly totals: Totals;
  readonly segments: SpoolSegmentTable;
  readonly tasks: TaskTable;
  readonly taskLogs: TaskLogTable;
  readonly taskChanges: TaskChangeTable;
  readonly deployments: DeploymentTable;
  readonly quarantine: QuarantineTable;
  readonly sightings: SightingTable;
  readonly plans: PlanTable;
  readonly autoUpdateImports: AutoUpdateImportTable;
  readonly attention: AttentionTable;
  readonly idempotency: IdempotencyTable;
  readonly rateLimits: RateLimitTable;
  readonly failedCredentials: FailedCredentialTable;
  readonly pruning: Pruning;
  readonly dispatching: DispatchingTable;
  readonly updateChecks: UpdateCheckTable;
  readonly registryAnswers: RegistryAnswers;
  readonly discovered: DiscoveredUnitTable;
  readonly schedule: ScheduleTickTable;
  /** Runs `act` in one transaction that takes the write lock at once. */
  transact<T>(act: () => T): T;
  /** Gives room that nothing stands in back to the file system; how many bytes. */
  shrink(): number;
  close(): void;
};

/** The name of a table in the store. */
export type TableName = keyof ReturnType<typeof listOpeners>;

/** How a database is opened. */
export type StoreOptions = {
  /** Is told of each error that a statement gives. */
  readonly onError?: (error: unknown) => void;
  /**
   * The tables whose statements are prepared at once, by a process that lives for seconds and needs few; those of the others are
   * once they are asked for. Absent: all, by which any table that is not what it should be is found.
   */
  readonly needed?: readonly TableName[];
};

/** Opens the database at `path`, migrates it, prepares its statements, and revokes in it what was revoked. */
export function openStore(
  path: string,
  program: { readonly version: string; readonly nowMs: number },
  { onError, needed }: StoreOptions = {},
): Outcome<Store> {
  const opened = openDatabase(path);
  if (!opened.ok) return opened;
  const database = opened.value;
  if (onError) tellErrors(database, onError);
  const migrated = migrateDatabase(database, MIGRATIONS, program);
  if (!migrated.ok) {
    database.close();
    return migrated;
  }
  const prepared = prepare(database, path, migrated.value, needed);
  if (!prepared.ok) return prepared;
  const settled = prepared.value.revocations.settle();
  if (settled.ok) return succeed(Object.assign(prepared.value, { settled: settled.value }));
  database.close();
  return settled;
}

type Prepared = Omit<Store, 'settled'>;

function prepare(
  database: Database,
  path: string,
  schema: number,
  needed: StoreOptions['needed'],
): Outcome<Prepared> {
  try {
    return succeed(prepareStore(database, path, schema, needed));
  } catch (error) {
    // Its schema is not what the migrations that it names have made.
    database.close();
    return fail('DATABASE_DAMAGED', `${describeSqliteError(error)}.`);
  }
}

function prepareStore(
  database: Database,
  path: string,
  schema: number,
  needed: StoreOptions['needed'],
): Prepared {
  const madeAt = database
    .prepare<[], number>('SELECT min(applied_at) FROM schema_migrations')
    .pluck();
  const revocations = openRevocationTable(database, path);
  return Object.assign(openTables(listOpeners(database, revocations), needed), {
    schema,
    madeAt: madeAt.get() ?? 0,
    revocations,
    transact: <T>(act: () => T): T => database.transaction(act).immediate(),
    ...prepareChecks(database),
    shrink: () => shrinkDatabase(database),
    close: () => void database.close(),
  });
}

function listOpeners(database: Database, revocations: RevocationTable) {
  return {
    accessTokens: () => openAccessTokenTable(database, revocations),
    accessSessions: () => openAccessSessionTable(database),
    deliveries: () => openDeliveryTable(database),
    deliveryBodies: () => openDeliveryBodyTable(database),
    refusedDeliveries: () => openRefusedDeliveryTable(database),
    events: () => openEventTable(database),
    hooks: () => openHookReads(database),
    storedHooks: () => openStoredHookTable(database, revocations),
    trackedTags: () => openTrackedTagTable(database),
    githubDeliveries: () => openGithubDeliveryTables(database),
    missedDeliveries: () => openMissedDeliveryTable(database),
    totals: () => openTotals(database),
    segments: () => openSpoolSegmentTable(database),
    tasks: () => openTaskTable(database),
    taskLogs: () => openTaskLogTable(database),
    taskChanges: () => openTaskChangeTable(database),
    deployments: () => openDeploymentTable(database),
    quarantine: () => openQuarantineTable(database),
    sightings: () => openSightingTable(database),
    plans: () => openPlanTable(database),
    autoUpdateImports: () => openAutoUpdateImportTable(database),
    attention: () => openAttentionTable(database),
    idempotency: () => openIdempotencyTable(database),
    rateLimits: () => openRateLimitTable(database),
    failedCredentials: () => openFailedCredentials(database),
    pruning: () => openPruning(database),
    dispatching: () => openDispatchingTable(database),
    updateChecks: () => openUpdateCheckTable(database),
    registryAnswers: () => openRegistryAnswers(database),
    discovered: () => openDiscoveredUnitTable(database),
    schedule: () => openScheduleTickTable(database),
  };
}
