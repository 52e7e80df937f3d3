import { type ChildProcess, spawn } from 'node:child_process';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { readLines } from '../process/read-lines.ts';

/** A short-lived child that does what the supervisor must not load. */
export type HelperCommand = {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Text for its standard input. */
  readonly input?: string;
  /** Then its whole process group is killed. */
  readonly timeoutMs: number;
  /** Ends it early: SIGTERM, and SIGKILL two seconds later. */
  readonly signal: AbortSignal;
  /** Told of each JSON value on its standard output, one a line. */
  readonly onValue?: (value: unknown) => void;
};

/** How a helper ended: with its last JSON value, or with words that say why there is none. */
export type HelperEnd =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly detail: string };

const MAX_LINE_LENGTH = 64 * 1024;
const KEPT_STDERR = 2_000;
const KILL_GRACE_MS = 2_000;

/** Runs a helper to its end in a process group of its own. Never throws. */
export async function runHelper(command: HelperCommand): Promise<HelperEnd> {
  const { file, args, environment, input, timeoutMs, signal } = command;
  if (signal.aborted) return { ok: false, detail: 'It was cancelled.' };
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      env: environment,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
  } catch (error) {
    return { ok: false, detail: `${args[0]} could not be started: ${(error as Error).message}.` };
  }
  let reason: 'timed-out' | 'cancelled' | undefined;
  const stop = (why: 'timed-out' | 'cancelled') => {
    reason ??= why;
    killGroup(child, why === 'timed-out' ? 'SIGKILL' : 'SIGTERM');
    setTimeout(() => killGroup(child, 'SIGKILL'), KILL_GRACE_MS).unref();
  };
  const cancel = () => stop('cancelled');
  const timer = setTimeout(() => stop('timed-out'), timeoutMs);
  signal.addEventListener('abort', cancel, { once: true });
  // A helper that ends before it has read everything is judged by its end.
  child.stdin?.on('error', () => undefined);
  if (input !== undefined) child.stdin?.end(input);
  const output = collect(child, command.onValue);
  child.once('exit', () => {
    // Its end is its end, even if others keep the pipes open for longer.
    clearTimeout(timer);
    if (reason !== undefined) killLeft(child);
  });
  const end = await waitForEnd(child);
  clearTimeout(timer);
  signal.removeEventListener('abort', cancel);
  if (reason === 'cancelled') return { ok: false, detail: 'It was cancelled.' };
  if (reason === 'timed-out') {
    return { ok: false, detail: `${args[0]} did not end within ${timeoutMs} ms.` };
  }
  const { value, stderr } = output();
  if (end === 0 && value !== undefined) return { ok: true, value };
  const last = findLastWords(stderr);
  return { ok: false, detail: `${args[0]} ended with ${end}${last === '' ? '' : `: ${last}`}.` };
}

function collect(child: ChildProcess, onValue: ((value: unknown) => void) | undefined) {
  let value: unknown;
  let stderr = '';
  const { stdout } = child;
  if (stdout) {
    const take = (line: string | undefined) => {
      const parsed = line === undefined ? undefined : parseJson(line);
      if (parsed === undefined) return;
      value = parsed;
      onValue?.(parsed);
    };
    const rest = readLines(stdout, MAX_LINE_LENGTH, take);
    stdout.on('end', () => take(rest()));
  }
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR);
  });
  return () => ({ value, stderr });
}

/** The last line that says something: behind an error that nobody caught Node puts its stack and its own version. */
function findLastWords(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trimEnd());
  return lines.findLast((line) => /^\S.*\w/.test(line) && !line.startsWith('Node.js v')) ?? '';
}

/** The exit code, the signal or the error of the start; told when its output has ended too. */
function waitForEnd(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(error.message);
    });
    child.on('exit', (code, signal) => {
      // A grandchild may keep the pipes open after the helper is gone.
      setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, KILL_GRACE_MS).unref();
      child.on('close', () => resolve(code ?? signal ?? 'nothing'));
    });
  });
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in this very moment.
  }
}

/**
 * What it had started may not have heard the signal, or not have listened. In this moment the number of its group is
 * still theirs: as long as one of them lives it is nobody else's.
 */
function killLeft({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // None is left.
  }
}
