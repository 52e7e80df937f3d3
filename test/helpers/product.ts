import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { HealthView } from '../../app/api/health-views.ts';
import type { EventView, Page, TaskDetailView, TaskView } from '../../app/api/views.ts';
import { NO_CLOCK } from '../../shared/config/no-clock.ts';

/** The built program, as users run it. */
export const PROGRAM_FILE = join(import.meta.dirname, '../../dist/pod-upgrade-trigger.mjs');

/** Long enough for a slow machine; a test that waits this long has failed. */
export const PATIENCE_MS = 20_000;

export const TOKEN = 'admin-token-of-the-tests';
export const SECRET = "It's a Secret to Everybody";

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

type Waiting = {
  readonly matches: (line: LogLine) => boolean;
  readonly resolve: (line: LogLine) => void;
};

/** The running product: supervisor and worker, in a state directory of its own. */
export class Product implements AsyncDisposable {
  readonly stateDir: string;
  readonly supervisor: ChildProcess;
  readonly lines: LogLine[] = [];
  /** Everything it printed, for looking for what must not be there. */
  output = '';
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Set<Waiting>();
  readonly #ownsState: boolean;

  private constructor(environment: Readonly<Record<string, string>>) {
    this.#ownsState = environment['PODUP_STATE_DIR'] === undefined;
    this.stateDir = environment['PODUP_STATE_DIR'] ?? mkdtempSync(join(tmpdir(), 'podup-état '));
    this.supervisor = spawn(process.execPath, [PROGRAM_FILE, 'supervise'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PODUP_HTTP_ADDR: '127.0.0.1:0',
        PODUP_TOKEN: TOKEN,
        PODUP_GH_WEBHOOK_SECRET: SECRET,
        PODUP_DEPLOY_SOAK_MS: '500',
        ...NO_CLOCK,
        ...environment,
        PODUP_STATE_DIR: this.stateDir,
      },
    });
    this.#exited = once(this.supervisor, 'exit');
    for (const stream of [this.supervisor.stdout, this.supervisor.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
  }

  /** Starts it and waits until it serves. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Product> {
    const product = new Product(environment);
    await product.logged((line) => line.msg === 'worker ready');
    return product;
  }

  /** The address that the kernel gave. */
  get address(): string {
    return String(this.lines.find(({ msg }) => msg === 'socket held')?.['address']);
  }

  get workerPid(): number {
    return Number(this.lines.findLast(({ msg }) => msg === 'worker started')?.['workerPid']);
  }

  /** The first line that fits, among those that were printed already and those to come. */
  logged(matches: (line: LogLine) => boolean, after = 0): Promise<LogLine> {
    const early = this.lines.slice(after).find(matches);
    if (early) return Promise.resolve(early);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not logged in time; the log is:\n${this.output}`)),
        PATIENCE_MS,
      );
      this.#waiting.add({
        matches,
        resolve: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
      });
    });
  }

  /** Waits for the n-th worker to be ready. */
  async ready(count: number): Promise<void> {
    const seen = () => this.lines.filter(({ msg }) => msg === 'worker ready').length >= count;
    await this.logged(() => seen());
  }

  async api<T>(path: string): Promise<T> {
    const answer = await fetch(`http://${this.address}${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return (await answer.json()) as T;
  }

  /** Posts as an admin; status and body of the answer. */
  async post<T>(path: string, body?: unknown): Promise<{ status: number; body: T }> {
    const answer = await fetch(`http://${this.address}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as T };
  }

  health = () => this.api<HealthView>('/health');
  tasks = async () => (await this.api<Page<'tasks', TaskView>>('/api/tasks?limit=500')).tasks;
  events = async () => (await this.api<Page<'events', EventView>>('/api/events?limit=500')).events;
  task = (id: string) => this.api<TaskDetailView>(`/api/tasks/${id}`);

  /** The next task to end, however it ends, with all that is recorded of it. */
  async ended(after = 0): Promise<TaskDetailView> {
    const line = await this.logged(({ msg }) => msg === 'task ended', after);
    return this.task(String(line['task']));
  }

  /** Ends it as a service manager would; the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.supervisor.kill(signal);
    await this.#exited;
    return this.supervisor.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownsState) rmSync(this.stateDir, { recursive: true, force: true });
  }

  #read(text: string): void {
    this.output += `${text}\n`;
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as LogLine;
    this.lines.push(line);
    for (const waiting of this.#waiting) {
      if (!waiting.matches(line)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(line);
    }
  }
}
