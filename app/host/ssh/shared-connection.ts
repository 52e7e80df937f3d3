import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { type CommandResult, runCommand } from '../../../shared/process/run-command.ts';
import { type ClientOptions, masterArguments } from './client-arguments.ts';

/** What holds the connection open there: it says back what it is told, and ends when its input does. */
const HOLDER = 'exec cat';
/** A timer of Node cannot be longer; then the next command opens the next connection. */
const MAX_LIFE_MS = 2_000_000_000;
const KEPT_CHARACTERS = 10_000;

export type ConnectionOptions = Omit<ClientOptions, 'controlPath'> & {
  /** For the sentences of failures. */
  readonly name: string;
  readonly controlDir: string;
  /** Limit from the start of the client until it is logged in. */
  readonly connectTimeoutMs: number;
};

/** A connection that is open, or was a moment ago. */
export type OpenConnection = { readonly controlPath: string };

type Master = {
  readonly opened: Promise<Outcome<OpenConnection>>;
  readonly ended: Promise<unknown>;
  /** At once, with all that runs over it. */
  readonly end: () => void;
  /** When the last that runs over it has ended. */
  readonly retire: () => void;
};

/**
 * The one connection to a host that all commands share. The client that opens it (the master, ssh_config(5)
 * ControlMaster) is a child of this process and runs `cat` there, which says that the login works, and whose input ends
 * with this process however it ends: then the master ends too.
 */
export class SharedConnection {
  readonly #options: ConnectionOptions;
  /** Which all use; not one that is about to end. */
  #master: Master | undefined;
  readonly #running = new Set<Master>();
  #isClosed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** The open connection, or a new one: one attempt for all who ask meanwhile. SSH_UNREACHABLE with what ssh said. */
  get(): Promise<Outcome<OpenConnection>> {
    if (this.#isClosed)
      return Promise.resolve(fail('SSH_UNREACHABLE', 'The connection is closed.'));
    if (!this.#master) {
      const master = openMaster(this.#options);
      this.#master = master;
      this.#running.add(master);
      void master.ended.then(() => {
        this.#forget(master);
        this.#running.delete(master);
      });
      // Before whoever waits for it asks again.
      void master.opened.then(({ ok }) => ok || this.#forget(master));
    }
    return this.#master.opened;
  }

  /** Whoever gets no session over it says so, for it may have gone unnoticed. What still runs over it is left alone. */
  async drop(connection: OpenConnection): Promise<void> {
    const master = this.#master;
    const opened = await master?.opened;
    if (!master || !opened?.ok || opened.value !== connection) return;
    this.#forget(master);
    master.retire();
  }

  /** Resolves when no process of the connection is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const master of this.#running) master.end();
    await Promise.all([...this.#running].map(({ ended }) => ended));
  }

  #forget(master: Master): void {
    if (this.#master === master) this.#master = undefined;
  }
}

function openMaster(options: ConnectionOptions): Master {
  // A new name for each, for a client whose socket is there already shares nothing.
  const controlPath = join(options.controlDir, randomBytes(4).toString('hex'));
  const word = `podup-${randomBytes(8).toString('hex')}`;
  const stop = new AbortController();
  const retirement = new AbortController();
  const answered = Promise.withResolvers<Outcome<OpenConnection>>();
  const answer = (outcome: Outcome<OpenConnection>) => {
    clearTimeout(deadline);
    answered.resolve(outcome);
  };
  const refuse = (said: string) => {
    answer({ ok: false, failure: unreachable(options.name, said) });
    stop.abort();
  };
  const deadline = setTimeout(
    () => refuse(`no login within ${options.connectTimeoutMs} ms`),
    options.connectTimeoutMs,
  );
  const ended = runCommand({
    argv: masterArguments({ ...options, controlPath }, options.connectTimeoutMs, HOLDER),
    timeoutMs: MAX_LIFE_MS,
    signal: stop.signal,
    onStart: (process) => {
      awaitEcho(process, word, (before) =>
        before === ''
          ? answer(succeed({ controlPath }))
          : refuse(`its login shell prints of its own: ${before}`),
      );
      retirement.signal.addEventListener('abort', () => process.stdin?.end());
    },
  }).then(async (result) => {
    refuse(describe(result));
    // A client that was killed leaves it behind.
    await rm(controlPath, { force: true });
  });
  return {
    opened: answered.promise,
    ended,
    end: () => stop.abort(),
    retire: () => retirement.abort(),
  };
}

/** Calls `then` with what came before the echo of `word`. */
function awaitEcho(process: ChildProcess, word: string, then: (before: string) => void): void {
  let text = '';
  const look = (chunk: Buffer) => {
    text = `${text}${chunk}`.slice(-KEPT_CHARACTERS);
    const at = text.indexOf(word);
    if (at < 0) return;
    process.stdout?.off('data', look);
    then(text.slice(0, at));
  };
  process.stdout?.on('data', look);
  // The client has ended; its end says more.
  process.stdin?.on('error', () => undefined);
  process.stdin?.write(word);
}

function describe({ end, stderr }: CommandResult): string {
  if (stderr.trim() !== '') return stderr;
  return end.kind === 'not-started' ? `ssh cannot be started: ${end.reason}` : 'ssh ended';
}

/** The failure to reach a host, with what was said on one line. */
export function unreachable(name: string, said: string): Failure {
  return fail('SSH_UNREACHABLE', `${name}: ${toLine(said)}.`).failure;
}

/** The last words of a client, on one line and without its final dot. */
export function toLine(said: string): string {
  const lines = said.split(/[\r\n]+/).map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .slice(-4)
    .join('; ')
    .slice(0, 400)
    .replace(/\.$/, '');
}
