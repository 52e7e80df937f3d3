import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { parseQuarantine } from '../../shared/contract/update-history.ts';
import { recordedDeliveries } from './clients.ts';
import { type Installation, UPDATE_PATIENCE_MS } from './installation.ts';
import { findProcesses } from './processes.ts';
import type { Release } from './release.ts';
import type { ServiceManager } from './service-manager.ts';
import type { SteadyClient } from './steady-client.ts';
import { until } from './until.ts';

/** Whether an update is open. */
export function isOpen({ paths }: Installation): boolean {
  return existsSync(paths.updateRecord);
}

/** Waits until no update is open any more. */
export async function settled(installation: Installation, manager: ServiceManager): Promise<void> {
  await until('the end of the update', UPDATE_PATIENCE_MS, () => {
    manager.check();
    return !isOpen(installation);
  });
}

/** Waits until both versions were found to be bad; false where the update has ended before that. */
export async function held(installation: Installation, manager: ServiceManager): Promise<boolean> {
  const how = await until('the end of the update, or its being held', UPDATE_PATIENCE_MS, () => {
    manager.check();
    if (!isOpen(installation)) return 'closed';
    return isHeld(installation, manager) && 'held';
  });
  return how === 'held';
}

/** By the record, or where the disk did not take that by what the service has told last. */
function isHeld({ paths }: Installation, { service: { lines } }: ServiceManager): boolean {
  const held = lines.findLastIndex(({ msg }) => msg.startsWith('self-update is held'));
  const other = lines.findLastIndex(
    ({ msg, state }) =>
      msg === 'self-update goes back' || (msg === 'self-update' && state !== 'held'),
  );
  return held > other || stateOfRecord(paths.updateRecord) === 'held';
}

/** The state that the record is in; undefined where there is none. */
export function stateOfRecord(path: string): string | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).state;
  } catch {
    return undefined;
  }
}

/** What is known at the end of whatever was done to an installation. */
export type Ending = {
  readonly installation: Installation;
  readonly manager: ServiceManager;
  /** Whoever sent webhooks all the while. */
  readonly client: SteadyClient;
  /** The versions that may serve now. */
  readonly serving: readonly Release[];
  /** Schemas that the one that serves can run on besides its own. */
  readonly schemas: readonly number[];
  /** How many updates there were; left out where that cannot be told. */
  readonly updates?: number;
  /** A person has given up what was written into the database. */
  readonly isLossy?: boolean;
};

/** A busy machine needs a while; that nobody is served for as long as this is a failure on any. */
export const GAP_MS = 30_000;

/**
 * Nothing is half done: one whole version serves, on a database of its own, nothing of an update is left, and every
 * delivery that was acknowledged is recorded once. Ends the service. The release that serves.
 */
export async function checkEnding(ending: Ending): Promise<Release> {
  const { installation, manager, client, serving, schemas, isLossy = false } = ending;
  const { paths } = installation;
  const version = await manager.serves(GAP_MS);
  await client.stop();
  if (!isLossy) await checkDeliveriesSoon(paths.stateDir, client.acknowledged);
  await manager[Symbol.asyncDispose]();
  await checkProcesses(installation);
  const release = checkProgram(installation, version, serving);
  checkLeftovers(installation);
  const txns = installation.history().map(({ txn }) => txn);
  assert.deepEqual(txns, [...new Set(txns)], 'an update is in the history more than once');
  assert.equal(txns.length, ending.updates ?? txns.length, 'updates in the history');
  const schema = checkDatabase(paths.database);
  assert.ok(
    [release.schema, ...schemas].includes(schema),
    `${release.version} runs on a database with schema ${schema}`,
  );
  if (!isLossy) checkDeliveries(paths.stateDir, client.acknowledged);
  const { longestGapMs } = client;
  assert.ok(longestGapMs < GAP_MS, `no delivery was accepted for ${longestGapMs} ms`);
  return release;
}

/** No process of this installation lives any more, or not for long. */
export async function checkProcesses({ folder }: Installation): Promise<void> {
  await until(
    `the end of every process of ${folder}`,
    UPDATE_PATIENCE_MS,
    () => findProcesses(folder).length === 0,
  );
}

/** Digests of what is never taken again. */
export function quarantined({ paths }: Installation): readonly string[] {
  const { quarantine } = paths;
  const content = existsSync(quarantine) ? parseQuarantine(readFileSync(quarantine, 'utf8')) : null;
  return content?.entries.map(({ digest }) => digest) ?? [];
}

/** SHA-256 of a file's content. */
export function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** One of these lies at the target, and it is the one that serves. */
export function checkProgram(
  { program }: Installation,
  version: string,
  releases: readonly Release[],
): Release {
  const digest = digestOf(program.target);
  const release = releases.find((known) => known.digest === digest);
  assert.ok(release, `at the target lies none of ${releases.map((one) => one.version)}`);
  assert.equal(version, release.version, 'what serves is not what lies at the target');
  return release;
}

/** Nothing of an update is left beside the program or its state. */
export function checkLeftovers({ program, paths }: Installation): void {
  const allowed = new Set([basename(program.target), basename(program.old)]);
  const beside = readdirSync(dirname(program.target)).filter((name) => !allowed.has(name));
  assert.deepEqual(beside, [], 'left beside the program');
  const inState = readdirSync(paths.dataDir, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.tmp') || /UPDATE_LOCK|update-request/.test(path),
  );
  assert.deepEqual(inState, [], 'left in the state');
}

/** The database is whole; the newest migration that was applied to it. */
export function checkDatabase(path: string): number {
  const database = new SqliteDatabase(path, { readonly: true });
  try {
    assert.equal(database.pragma('integrity_check', { simple: true }), 'ok');
    return database.pragma('user_version', { simple: true }) as number;
  } finally {
    database.close();
  }
}

/** The same of a service that runs: it needs a moment for the last ones. */
export async function checkDeliveriesSoon(
  stateDir: string,
  acknowledged: readonly string[],
): Promise<void> {
  await until(
    'all that was acknowledged is recorded',
    UPDATE_PATIENCE_MS,
    () => findLost(stateDir, acknowledged).length === 0,
  ).catch(() => undefined);
  checkDeliveries(stateDir, acknowledged);
}

function checkDeliveries(stateDir: string, acknowledged: readonly string[]): void {
  assert.deepEqual(findLost(stateDir, acknowledged), [], `lost, of ${acknowledged.length}`);
  const recorded = recordedDeliveries(stateDir);
  const twice = acknowledged.filter((delivery) => recorded.get(delivery) !== 1);
  assert.deepEqual(twice, [], 'recorded more than once');
}

/** Deliveries that were acknowledged and are not in the database. */
function findLost(stateDir: string, acknowledged: readonly string[]): readonly string[] {
  const recorded = recordedDeliveries(stateDir);
  return acknowledged.filter((delivery) => !recorded.has(delivery));
}
