import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { COMPILE_CACHE } from '../helpers/compile-cache.ts';

/** One line of the log of the supervisor, or of a worker, which writes to the same stdout. */
export type Line = { readonly msg: string; readonly [field: string]: unknown };

/** A real supervisor over a tiny worker. */
export type SupervisorProcess = {
  readonly child: ChildProcess;
  /** Everything that was written so far. */
  readonly lines: readonly Line[];
  /** The next line with this message that no earlier call has passed; rejects when the output ends without it. */
  next(msg: string): Promise<Line>;
  /** The port that the supervisor holds. */
  port(): Promise<number>;
  /** How the supervisor ended, and what it wrote to stderr. */
  ended(): Promise<{ code: number | null; signal: string | null; stderr: string }>;
  /** Settles when nobody holds stdout any more: supervisor, workers and their children are gone. */
  readonly silent: Promise<unknown>;
};

/** How long a test waits for anything before it fails. */
const LIMIT_MS = 20_000;

const SUPERVISE = join(import.meta.dirname, '../fixtures/workers/supervise.ts');

/**
 * Starts a supervisor for one test: `args` are a worker of test/fixtures/workers, or `--` and a command. Its state lies
 * in a folder of its own, if the environment names none.
 */
export function startSupervisor(
  context: TestContext,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  prepare: { stdio?: StdioOptions; wrap?: readonly string[] } = {},
): SupervisorProcess {
  const argv = [...(prepare.wrap ?? []), process.execPath, SUPERVISE, ...args];
  return startProgram(context, argv, environment, prepare.stdio);
}

/** The same for any program that supervises. */
export function startProgram(
  context: TestContext,
  [file = '', ...words]: readonly string[],
  environment: NodeJS.ProcessEnv,
  stdio: StdioOptions = ['ignore', 'pipe', 'pipe'],
): SupervisorProcess {
  const stateDir = mkdtempSync(join(tmpdir(), 'podup-état '));
  const child = spawn(file, words, {
    stdio,
    env: {
      PATH: process.env['PATH'],
      ...COMPILE_CACHE,
      PODUP_HTTP_ADDR: '127.0.0.1:0',
      PODUP_STATE_DIR: stateDir,
      PODUP_RESTART_BACKOFF_INITIAL_MS: '50',
      ...environment,
    },
  });
  const exit = once(child, 'exit');
  const closed = once(child, 'close');
  context.after(async () => {
    // Asked twice, a supervisor kills whatever its worker has started, and leaves.
    child.kill('SIGTERM');
    child.kill('SIGINT');
    await within(closed, 'the end of everything').finally(() => child.kill('SIGKILL'));
    rmSync(stateDir, { recursive: true, force: true });
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const { lines, next } = followLines(child);
  return {
    child,
    lines,
    next,
    port: async () =>
      Number(
        String((await next('socket held'))['address'])
          .split(':')
          .pop(),
      ),
    ended: async () => {
      await within(exit, 'the end of the supervisor');
      return { code: child.exitCode, signal: child.signalCode, stderr };
    },
    silent: within(closed, 'silence'),
  };
}

function followLines(child: ChildProcess) {
  const lines: Line[] = [];
  let passed = 0;
  let isOver = false;
  const news = new EventTarget();
  if (!child.stdout) throw new Error('stdout must be a pipe');
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (text) => {
    lines.push(JSON.parse(text));
    news.dispatchEvent(new Event('news'));
  });
  reader.on('close', () => {
    isOver = true;
    news.dispatchEvent(new Event('news'));
  });
  const next = async (msg: string): Promise<Line> => {
    for (;;) {
      const at = lines.findIndex((line, index) => index >= passed && line.msg === msg);
      const line = lines[at];
      if (line) {
        passed = at + 1;
        return line;
      }
      if (isOver) throw new Error(`never written: ${msg}\n${JSON.stringify(lines, null, 1)}`);
      await within(once(news, 'news'), `the line: ${msg}\n${JSON.stringify(lines)}`);
    }
  };
  return { lines, next };
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`waited ${LIMIT_MS} ms for ${what}`)),
    LIMIT_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
