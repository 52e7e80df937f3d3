import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { askByFile } from '../../app/updates/ask-by-file.ts';
import { NO_CLOCK } from '../../shared/config/no-clock.ts';
import {
  type ProgramPaths,
  programPaths,
  type StatePaths,
  statePaths,
} from '../../shared/contract/state-paths.ts';
import {
  parseUpdateHistory,
  type UpdateHistoryEntry,
} from '../../shared/contract/update-history.ts';
import type { UpdateAnswer, UpdateRequest } from '../../shared/contract/update-request.ts';
import { parseUpdateRequest } from '../../shared/contract/update-request.ts';
import type { LogLine } from './product.ts';
import {
  buildRelease,
  type PublishOptions,
  publish,
  type Release,
  type ReleaseOptions,
} from './release.ts';
import { until } from './until.ts';

/** Long enough for a slow machine; a test that waits this long has failed. */
export const UPDATE_PATIENCE_MS = 60_000;

const LAUNCHER = join(import.meta.dirname, '../../scripts/launch.sh');

/** How an installation is set up. */
export type InstallationOptions = {
  /** Default: 1.0.0. */
  readonly version?: string;
  /** What else is special about the first version. */
  readonly first?: Omit<ReleaseOptions, 'folder' | 'version'>;
  readonly environment?: Readonly<Record<string, string>>;
};

/** A host's installation of the program: its file, its state, and a folder with releases. Removed at the end. */
export class Installation implements AsyncDisposable {
  readonly folder: string;
  readonly program: ProgramPaths;
  readonly paths: StatePaths;
  readonly releasesDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly services: Service[] = [];

  private constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.releasesDir = join(folder, 'releases');
    mkdirSync(join(folder, 'bin'));
    mkdirSync(this.releasesDir);
    this.program = programPaths(join(folder, 'bin', 'pod-upgrade-trigger'));
    this.paths = statePaths(join(folder, 'state'));
    this.environment = {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      PODUP_STATE_DIR: this.paths.stateDir,
      PODUP_TARGET_BIN: this.program.target,
      PODUP_RELEASE_BASE_URL: this.releasesDir,
      PODUP_HTTP_ADDR: '127.0.0.1:0',
      PODUP_TOKEN: ADMIN_TOKEN,
      PODUP_GH_WEBHOOK_SECRET: WEBHOOK_SECRET,
      PODUP_SELF_UPDATE_SOAK_MS: '300',
      PODUP_RESTART_BACKOFF_INITIAL_MS: '50',
      PODUP_STOP_TIMEOUT_MS: '5000',
      ...NO_CLOCK,
      ...(process.env['NODE_V8_COVERAGE'] && { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }),
      ...environment,
    };
  }

  /** Installs a first version, without starting it. */
  static async make({
    version = '1.0.0',
    first = {},
    environment = {},
  }: InstallationOptions = {}): Promise<Installation> {
    const installation = new Installation(
      mkdtempSync(join(tmpdir(), 'podup-installé ')),
      environment,
    );
    const { file } = await installation.build({ ...first, version });
    copyFileSync(file, installation.program.target);
    return installation;
  }

  build(options: Omit<ReleaseOptions, 'folder'>): Promise<Release> {
    return buildRelease({ ...options, folder: join(this.folder, 'built') });
  }

  /** Builds a release and offers it. */
  async offer(
    options: Omit<ReleaseOptions, 'folder'>,
    publishing: PublishOptions = {},
  ): Promise<Release> {
    const release = await this.build(options);
    publish(this.releasesDir, release, publishing);
    return release;
  }

  /** Starts the service as a service manager would, through the launcher. */
  start(more: Readonly<Record<string, string>> = {}, wrap: readonly string[] = []): Service {
    const argv = [...wrap, '/bin/sh', LAUNCHER, 'supervise'];
    const service = new Service(argv, { ...this.environment, ...more });
    this.services.push(service);
    return service;
  }

  /** Asks the supervisor as any program on the host may. */
  async ask(request: Partial<UpdateRequest> & { readonly command: string }): Promise<UpdateAnswer> {
    const full = parseUpdateRequest({ id: `req-${process.hrtime.bigint()}`, ...request });
    if (!full) throw new Error(`no request: ${JSON.stringify(request)}`);
    const asked = await askByFile(this.paths, full, { waitMs: UPDATE_PATIENCE_MS });
    if (asked.ok) return asked.value;
    const { failure } = asked;
    // A refusal is an answer; nobody there to give one is not.
    if (failure.code === 'UPDATE_SUPERVISOR_UNREACHABLE') throw new Error(failure.detail);
    return { id: full.id, txn: null, failure, status: null };
  }

  /** Updates that are over. */
  history(): readonly UpdateHistoryEntry[] {
    const path = this.paths.updateHistory;
    return existsSync(path) ? parseUpdateHistory(readFileSync(path, 'utf8')) : [];
  }

  /** Waits for the end of an update: its line in the history, and no open record. */
  finished(txn: string): Promise<UpdateHistoryEntry> {
    return until(`the end of ${txn}`, UPDATE_PATIENCE_MS, () =>
      existsSync(this.paths.updateRecord)
        ? undefined
        : this.history().find((entry) => entry.txn === txn),
    );
  }

  /** Runs an update to its end. */
  async update(request: Partial<UpdateRequest> = {}): Promise<UpdateHistoryEntry> {
    const answer = await this.ask({ command: 'run', ...request });
    if (answer.txn === null) throw new Error(JSON.stringify(answer.failure));
    return this.finished(answer.txn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.services) await service.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const ADMIN_TOKEN = 'admin-token-of-the-tests';
export const WEBHOOK_SECRET = "It's a Secret to Everybody";

/** A running service, known by what it logs. */
export class Service {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** Everything it printed. */
  output = '';
  readonly exited: Promise<unknown>;
  readonly #news = new EventTarget();

  constructor(
    [file = '', ...args]: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.child = spawn(file, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
  }

  /** The address that the kernel gave. A program that was handed the socket before anybody listened does not know it. */
  get address(): string {
    const isKnown = ({ msg, address }: LogLine) =>
      msg === 'socket held' && /:\d+$/.test(String(address));
    return String(this.lines.findLast(isKnown)?.['address']);
  }

  get workerPid(): number {
    return Number(this.lines.findLast(({ msg }) => msg === 'worker started')?.['workerPid']);
  }

  /** The first line that fits, among those that were printed already (from `after` on) and those to come. */
  async logged(matches: (line: LogLine) => boolean, after = 0): Promise<LogLine> {
    const deadline = AbortSignal.timeout(UPDATE_PATIENCE_MS);
    for (;;) {
      const found = this.lines.slice(after).find(matches);
      if (found) return found;
      if (deadline.aborted) throw new Error(`not logged in time; the log is:\n${this.output}`);
      await Promise.race([
        once(this.#news, 'line', { signal: deadline }).catch(() => undefined),
        this.exited,
      ]);
      if (this.child.exitCode !== null && !this.lines.slice(after).some(matches)) {
        throw new Error(`it ended first; the log is:\n${this.output}`);
      }
    }
  }

  /** Waits until a worker is ready that was not before. */
  ready(after = 0): Promise<LogLine> {
    return this.logged(({ msg }) => msg === 'worker ready', after);
  }

  /** Which version answers over the real socket. */
  async version(): Promise<unknown> {
    const answer = await fetch(`http://${this.address}/health/self`);
    return ((await answer.json()) as { version?: string }).version;
  }

  async api(path: string, options: RequestInit = {}): Promise<{ status: number; body: unknown }> {
    const answer = await fetch(`http://${this.address}${path}`, {
      ...options,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    });
    return { status: answer.status, body: await answer.json() };
  }

  /** Ends it as a service manager would; the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    await this.exited;
    return this.child.exitCode;
  }

  /** Ends it however it stands. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(timer);
  }

  #read(text: string): void {
    this.output += `${text}\n`;
    if (!text.startsWith('{')) return;
    this.lines.push(JSON.parse(text));
    this.#news.dispatchEvent(new Event('line'));
  }
}
