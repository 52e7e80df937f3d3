import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { UpdateHistoryEntry } from '../../shared/contract/update-history.ts';
import {
  parseUpdateRecord,
  type UpdateRecord,
  type UpdateState,
} from '../../shared/contract/update-record.ts';
import type { UpdateRequest } from '../../shared/contract/update-request.ts';
import { sha256 } from '../../shared/fs/sha256.ts';
import { recordedDeliveries } from '../helpers/clients.ts';
import {
  Installation,
  type InstallationOptions,
  type Service,
  UPDATE_PATIENCE_MS,
} from '../helpers/installation.ts';
import { findProcesses } from '../helpers/processes.ts';
import type { LogLine } from '../helpers/product.ts';
import type { PublishOptions, Release, ReleaseOptions } from '../helpers/release.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';

/** An installation for a test of faults: what its many processes cover, other tests do. */
export function makeInstallation({
  environment,
  ...options
}: InstallationOptions = {}): Promise<Installation> {
  return Installation.make({ ...options, environment: { NODE_V8_COVERAGE: '', ...environment } });
}

/** An installation that is offered a release, both with a supervisor that can be ended at a chosen point. */
export async function prepareFailpoints(
  offer: Offer,
  options: InstallationOptions = {},
): Promise<Installation> {
  const first = { ...options.first, entry: 'failpoints' } as const;
  const installation = await makeInstallation({ ...options, first });
  await installation.offer({ version: '1.1.0', ...offer, entry: 'failpoints' });
  return installation;
}

/** A release as a test describes it; the version is the one that comes next unless it says another. */
export type Offer = Omit<ReleaseOptions, 'folder' | 'version' | 'generation'> & {
  readonly version?: string;
};

/** An installation whose service runs, for several cases one after another. */
export class Host implements AsyncDisposable {
  readonly installation: Installation;
  service: Service;
  #releases = 0;

  private constructor(installation: Installation, service: Service) {
    this.installation = installation;
    this.service = service;
  }

  static async start(options: InstallationOptions = {}): Promise<Host> {
    const installation = await makeInstallation(options);
    const service = installation.start();
    await service.ready();
    return new Host(installation, service);
  }

  /** Offers a release that is newer than all before it. */
  offer(offer: Offer = {}, publishing: PublishOptions = {}): Promise<Release> {
    const generation = ++this.#releases + 1;
    const version = `1.${this.#releases}.0`;
    return this.installation.offer({ version, ...offer, generation }, publishing);
  }

  /** Offers a release and has exactly this one installed, whatever failed here before. */
  async install(
    offer: Offer = {},
    request: Partial<UpdateRequest> = {},
  ): Promise<UpdateHistoryEntry> {
    const { tag } = await this.offer(offer);
    return this.installation.update({ tag, force: true, ...request });
  }

  /** Starts the service again, once it has ended. */
  restart(): void {
    this.service = this.installation.start();
  }

  /** Waits until the record is in this state. */
  reached(state: UpdateState, after = 0): Promise<LogLine> {
    return this.service.logged(
      (line) => line.msg === 'self-update' && line['state'] === state,
      after,
    );
  }

  /** The open update, as the disk has it. */
  record(): UpdateRecord {
    return readRecord(this.installation);
  }

  /** How many lines were logged so far, for `after`. */
  get now(): number {
    return this.service.lines.length;
  }

  /** Has a worker that is a puppet run this code. */
  pull(code: string): void {
    writeFileSync(join(this.installation.paths.stateDir, STRINGS), code);
    process.kill(this.service.workerPid, 'SIGUSR2');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.installation[Symbol.asyncDispose]();
  }
}

/** The open update, as the disk has it. */
export function readRecord({ paths }: Installation): UpdateRecord {
  const reading = parseUpdateRecord(readFileSync(paths.updateRecord, 'utf8'), sha256);
  if (reading.kind !== 'record') throw new Error(`no record: ${JSON.stringify(reading)}`);
  return reading.record;
}

const STRINGS = 'strings.js';

/** Code for a release that runs where the program is called with this word. */
export function inRole(role: string, code: string): string {
  return `if (role === '${role}') { ${code} }`;
}

/** Code for a release that its worker runs first. */
export function inWorker(code: string): string {
  return inRole('http-server', code);
}

/** Code for a release that its worker runs when it is ready, before it says so. */
export function onReady(code: string): string {
  return inWorker(`{
    const send = process.send?.bind(process);
    process.send = (message, ...rest) => {
      if (message?.kind === 'worker-ready') { ${code} }
      return send(message, ...rest);
    };
  }`);
}

/** The state of the open update, for code of a release. */
export const STATE_OF_RECORD = `(() => {
  try {
    const path = process.env.PODUP_STATE_DIR + '/data/UPDATE_LOCK.json';
    return JSON.parse(require('node:fs').readFileSync(path, 'utf8')).state;
  } catch {}
})()`;

/** For a release: before its worker migrates in the trial, the thread that does it stands still for some seconds. */
export const SLOW_START = `if (
  role === 'thread' &&
  threads.getEnvironmentData('release-command') === 'http-server' &&
  ${STATE_OF_RECORD} === 'trial'
) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_000);`;

/** For a release: its worker runs, on SIGUSR2, what a test wants (`Host.pull`). */
export const PUPPET = inWorker(`process.on('SIGUSR2', () => {
  const code = require('node:fs').readFileSync(process.env.PODUP_STATE_DIR + '/${STRINGS}', 'utf8');
  new Function('require', code)(require);
});`);

/** Blocks a thread for ever. */
export const BLOCK = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

/** A script that has the database open until it is killed, and says so. */
export const KEEP_OPEN = `
  require('node:fs').openSync(process.env.PODUP_STATE_DIR + '/data/pod-upgrade-trigger.db');
  console.log('open');
  setInterval(() => {}, 60000);`;

/** Every file below a folder with its inode, time and digest, for finding out what was touched. */
export function listFiles(folder: string, isLeftOut = (_path: string) => false): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((path) => !isLeftOut(path))
    .map((path) => describeFile(join(folder, path), folder));
}

function describeFile(path: string, folder: string): string {
  const facts = lstatSync(path);
  const name = relative(folder, path);
  if (!facts.isFile()) return `${name}/`;
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  return `${name} ${facts.ino} ${facts.mtimeMs} ${facts.mode} ${digest}`;
}

type WithDatabase = { readonly paths: { readonly database: string } };

/** What a release leaves in the database whatever else is written to it: its shape, and what was accepted. */
export function readContent({ paths }: WithDatabase) {
  const database = new SqliteDatabase(paths.database, { readonly: true });
  const all = (query: string) => database.prepare(query).all();
  try {
    return {
      schema: all('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name'),
      migrations: all('SELECT version, sha256 FROM schema_migrations ORDER BY version'),
      deliveries: all('SELECT delivery FROM deliveries ORDER BY delivery'),
    };
  } finally {
    database.close();
  }
}

/** The newest migration of the database, which has to be whole. */
export function readSchema({ paths }: WithDatabase): number {
  const database = new SqliteDatabase(paths.database, { readonly: true });
  try {
    assert.equal(database.pragma('integrity_check', { simple: true }), 'ok');
    return Number(database.pragma('user_version', { simple: true }));
  } finally {
    database.close();
  }
}

/** Posts one delivery, as GitHub does; its id and how it was answered. */
export async function deliver(
  address: string,
): Promise<{ readonly delivery: string; readonly status: number }> {
  const headers = makeHeaders('registry_package', DELIVERY);
  const { status } = await post(`http://${address}/github-package-update/web`, DELIVERY, headers);
  return { delivery: headers['x-github-delivery'], status };
}

/** Waits until each of these is in the database, and none twice: it may be in the spool only for a moment. */
export async function checkRecorded(
  { paths }: Installation,
  accepted: readonly string[],
): Promise<void> {
  const wrong = () => {
    const recorded = recordedDeliveries(paths.stateDir);
    return accepted.filter((delivery) => recorded.get(delivery) !== 1);
  };
  await until('each delivery is recorded', UPDATE_PATIENCE_MS, () => wrong().length === 0).catch(
    () => assert.deepEqual(wrong(), []),
  );
}

const DELIVERY = makeBody('registry_package', {
  repository: 'ghcr.io/octo-org/hello',
  tag: 'latest',
  digest: `sha256:${'a'.repeat(64)}`,
});

/** Waits until no process of this installation lives any more. */
export async function checkProcesses({ folder }: Installation): Promise<void> {
  const left = () => findProcesses(folder).map((pid) => `${pid} ${describeProcess(pid)}`);
  await until('the end of each process', PROCESSES_END_MS, () => left().length === 0).catch(() =>
    assert.deepEqual(left(), []),
  );
}

/** An orphan is to end within half a second; the machine may be busy. */
const PROCESSES_END_MS = 10_000;

function describeProcess(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return 'has ended';
  }
}
