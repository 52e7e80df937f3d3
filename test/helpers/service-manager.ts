import { createServer } from 'node:net';
import type { Installation, Service } from './installation.ts';
import { until } from './until.ts';

/** A service that ends more often than this is not cured by another start. */
const STARTS_MAX = 11;

/** Below the range from which the kernel takes ports by itself, so that nobody else gets it between two starts. */
const PORTS = { first: 20_000, count: 10_000 } as const;

/** How one start is made. */
export type Start = {
  readonly environment?: Readonly<Record<string, string>>;
  /** What runs the launcher in turn, as `strace` does. */
  readonly wrap?: readonly string[];
};

/**
 * Does what a service manager does: starts the service, and again whenever it ends, at once and a limited number of
 * times. Unlike systemd it leaves alone whatever the service leaves behind, so that has to end by itself.
 */
export class ServiceManager implements AsyncDisposable {
  readonly #installation: Installation;
  readonly #starts: readonly Start[];
  readonly services: Service[] = [];
  #isOver = false;

  /** The first start, the second one and so on; the last of them is repeated. */
  constructor(installation: Installation, starts: readonly [Start, ...Start[]]) {
    this.#installation = installation;
    this.#starts = starts;
    this.#start();
  }

  /** The newest. */
  get service(): Service {
    const service = this.services.at(-1);
    if (!service) throw new Error('nothing was started');
    return service;
  }

  /** Everything that was printed, of all starts. */
  get output(): string {
    return this.services.map(({ output }, index) => `--- start ${index + 1}\n${output}`).join('');
  }

  /** Waits until a program answers that it is well; its version. */
  async serves(withinMs: number): Promise<string> {
    const address = this.#installation.environment['PODUP_HTTP_ADDR'];
    return until(`somebody serves; the log is:\n${this.output}`, withinMs, async () => {
      this.check();
      const answer = await fetch(`http://${address}/health/self`).catch(() => undefined);
      const body = answer?.ok ? ((await answer.json()) as { version?: unknown }) : undefined;
      return typeof body?.version === 'string' && body.version;
    });
  }

  /** Throws where the service was started too often. */
  check(): void {
    if (this.services.length > STARTS_MAX) {
      throw new Error(`the service ended ${STARTS_MAX} times; the log is:\n${this.output}`);
    }
  }

  /** Ends it for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.service.end();
  }

  #start(): void {
    const { environment, wrap } = this.#starts[this.services.length] ?? this.#starts.at(-1) ?? {};
    const service = this.#installation.start(environment, wrap);
    this.services.push(service);
    void service.exited.then(() => {
      if (!this.#isOver && this.services.length <= STARTS_MAX) this.#start();
    });
  }
}

/** An address of this host that is free and stays so: several starts are to serve the same one. */
export async function findAddress(): Promise<string> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ host: '127.0.0.1', port }, () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return `127.0.0.1:${port}`;
  }
}
