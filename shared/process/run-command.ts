import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { foreignEnvironment } from './foreign-environment.ts';
import { OutputCollector } from './output-collector.ts';

/** A stream of a command. */
export type OutputStream = 'stdout' | 'stderr';
/** What a service is asked in place of a command. `path` is encoded as in a URL, its query included. */
export type ServiceRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
};

/** What a service manager is asked in place of a command; `face` is the kind of unit that has the properties. */
export type ManagerRequest =
  | { readonly kind: 'show'; readonly units: readonly string[]; readonly names: readonly string[] }
  | {
      readonly kind: 'get';
      readonly unit: string;
      readonly face: 'Unit' | 'Service';
      readonly names: readonly string[];
    }
  | { readonly kind: 'reset-failed'; readonly units: readonly string[] }
  | { readonly kind: 'restart'; readonly unit: string };

/** A command to run: an argument list, never a shell line. */
export type Command = {
  readonly argv: readonly [string, ...string[]];
  /** Limit of the whole run; then the process group gets SIGTERM, and SIGKILL a little later. */
  readonly timeoutMs: number;
  /** How much later. Default 2 s. */
  readonly killGraceMs?: number;
  /** How much of each stream is kept; the rest is counted and dropped from the middle. Default 32 KiB. */
  readonly maxOutputBytes?: number;
  /** The whole environment of the command; default: this process's own, without its secrets. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Text for its standard input; default: none. */
  readonly input?: string;
  /**
   * Sees the process as soon as it runs, and then holds its standard input: what is written there arrives, and it
   * stays open until it is ended or the process is gone. Not together with `input`; only for commands of this machine.
   */
  readonly onStart?: (process: ChildProcess) => void;
  /** Hears the streams as they come, whole, also what is not kept; for those who watch. */
  readonly onOutput?: (stream: OutputStream, chunk: Buffer) => void;
  /** Its output may hold secrets of others (the environment of a container): a record of the run leaves it out. */
  readonly isPrivate?: boolean;
  /** Its arguments may hold secrets: a record of the run names the program only. */
  readonly hidesArguments?: boolean;
  /** One of many alike, whose success is nothing to record. */
  readonly isRoutine?: boolean;
  /** The same asked of a service: whoever can reach that needs no process. All others run `argv`. */
  readonly request?: ServiceRequest;
  /** The same asked of the service manager, by whoever can reach that. */
  readonly manager?: ManagerRequest;
  /** Ends the command early, as a timeout would. */
  readonly signal?: AbortSignal;
};

/** How a command ended. The first reason wins: a timeout that kills is `timed-out`, not a signal. */
export type CommandEnd =
  | { readonly kind: 'exited'; readonly code: number }
  /**
   * By a service that was asked in its place, with a status of HTTP (the service manager: 200, or 500 for an error); what
   * it said of a failure is on `stderr`.
   */
  | ({ readonly kind: 'answered'; readonly status: number } & ServiceRequest)
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'not-started'; readonly reason: string }
  /** Of another host: it was told to run, and nobody can say what it came to; it may still run there for a while. */
  | { readonly kind: 'connection-lost'; readonly reason: string };

/** The record of a run: what was asked, how it ended, what it said. */
export type CommandResult = {
  readonly argv: readonly string[];
  readonly end: CommandEnd;
  readonly durationMs: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Bytes of each stream that were dropped. */
  readonly stdoutDropped: number;
  readonly stderrDropped: number;
};

/** What runs commands; handed to the parts that need it, so that each run can be recorded. */
export type RunCommand = (command: Command) => Promise<CommandResult>;

const DEFAULT_MAX_OUTPUT_BYTES = 32_768;
const KILL_GRACE_MS = 2_000;
/** A grandchild may keep the pipes open after the command itself is gone. */
const PIPE_GRACE_MS = 1_000;

/**
 * Runs a command in a process group of its own and never throws: a failure has the shape of a success, with another
 * `end`. Both streams are read to their end however long they are.
 */
export async function runCommand(command: Command): Promise<CommandResult> {
  const [file, ...args] = command.argv;
  const max = command.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const stdout = new OutputCollector(max);
  const stderr = new OutputCollector(max);
  const startedAt = performance.now();
  let reason: 'timed-out' | 'aborted' | undefined;
  let hasExited = false;
  const subprocess = execa(file, args, {
    reject: false,
    buffer: false,
    detached: true,
    cleanup: false,
    ...chooseInput(command),
    env: command.environment ?? foreignEnvironment(),
    extendEnv: false,
  });
  listen(subprocess.stdout, (chunk) => {
    stdout.add(chunk);
    command.onOutput?.('stdout', chunk);
  });
  listen(subprocess.stderr, (chunk) => {
    stderr.add(chunk);
    command.onOutput?.('stderr', chunk);
  });

  if (subprocess.pid !== undefined) command.onStart?.(subprocess.nodeChildProcess);

  const ended = new AbortController();
  const stop = (why: 'timed-out' | 'aborted') => {
    // It came to its own end; only the pipes are still open.
    if (hasExited) return;
    reason ??= why;
    killGroup(subprocess.pid, 'SIGTERM');
    const graceMs = command.killGraceMs ?? KILL_GRACE_MS;
    after(graceMs, ended.signal, () => killGroup(subprocess.pid, 'SIGKILL'));
  };
  after(command.timeoutMs, ended.signal, () => stop('timed-out'));
  command.signal?.addEventListener('abort', () => stop('aborted'), { signal: ended.signal });
  if (command.signal?.aborted) stop('aborted');
  subprocess.nodeChildProcess.once('exit', () => {
    hasExited = true;
    after(PIPE_GRACE_MS, ended.signal, () => {
      subprocess.stdout.destroy();
      subprocess.stderr.destroy();
    });
  });

  const result = await subprocess;
  ended.abort();
  // What ignored SIGTERM in its group does not outlive a command that was stopped.
  if (reason) killGroup(subprocess.pid, 'SIGKILL');
  return {
    argv: command.argv,
    end: describeEnd(reason, result),
    durationMs: Math.round(performance.now() - startedAt),
    stdout: stdout.text(),
    stderr: stderr.text(),
    stdoutDropped: stdout.dropped,
    stderrDropped: stderr.dropped,
  };
}

/** Whether the command ran to its end and said that all is well. That there is no such thing answers a question, too. */
export function isSuccess({ end }: CommandResult): boolean {
  if (end.kind === 'answered')
    return end.status < 300 || (end.status === 404 && end.method === 'GET');
  return end.kind === 'exited' && end.code === 0;
}

/** The end in words, with the last line on stderr where there is one. */
export function formatEnd(result: CommandResult): string {
  const { end, argv } = result;
  const said = result.stderr.trim().split('\n').at(-1)?.slice(0, 500) ?? '';
  const how = {
    answered: () => (end.kind === 'answered' ? `was answered with ${end.status}` : ''),
    exited: () => (end.kind === 'exited' ? `exited with ${end.code}` : ''),
    signalled: () => (end.kind === 'signalled' ? `was ended by ${end.signal}` : ''),
    'timed-out': () => `did not end within its limit (ran ${result.durationMs} ms)`,
    aborted: () => 'was stopped',
    'not-started': () => (end.kind === 'not-started' ? `could not be started (${end.reason})` : ''),
    'connection-lost': () =>
      end.kind === 'connection-lost'
        ? `may or may not have come to its end, for the connection was lost (${end.reason})`
        : '',
  }[end.kind]();
  return `${argv.slice(0, 3).join(' ')} ${how}${said === '' ? '' : `: ${said}`}.`;
}

function chooseInput({ input, onStart }: Command) {
  if (onStart) return { stdin: 'pipe' as const };
  return input === undefined ? { stdin: 'ignore' as const } : { input };
}

type Ended = {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
};

function describeEnd(reason: 'timed-out' | 'aborted' | undefined, result: Ended): CommandEnd {
  if (reason) return { kind: reason };
  if (result.exitCode !== undefined) return { kind: 'exited', code: result.exitCode };
  if (result.signal !== undefined) return { kind: 'signalled', signal: result.signal };
  return { kind: 'not-started', reason: result.code ?? 'unknown' };
}

function listen(stream: Readable, onChunk: (chunk: Buffer) => void): void {
  stream.on('data', onChunk);
}

function after(ms: number, cancel: AbortSignal, act: () => void): void {
  const timer = setTimeout(act, ms);
  cancel.addEventListener('abort', () => clearTimeout(timer), { once: true });
}

function killGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group is gone already.
  }
}
