import type { Duplex } from 'node:stream';
import { type Failure, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { isHostName, isPort, parseSshTarget } from '../../../shared/contract/ssh-target.ts';
import {
  type Command,
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
} from '../../../shared/process/run-command.ts';
import { askHttpOver } from './ask-http.ts';
import { openForward } from './open-forward.ts';
import { refuse, runSession } from './run-session.ts';
import { SessionSlots } from './session-slots.ts';
import { SharedConnection, toLine, unreachable } from './shared-connection.ts';

/** What an SSH host is opened with. */
export type SshHostOptions = {
  /** `host`, `user@host` or `ssh://[user@]host[:port]`. */
  readonly target: string;
  /** A folder of this process alone (0700), for the sockets of the connection; at most 70 bytes long, see unix(7). */
  readonly controlDir: string;
  /** More options of ssh(1), e.g. `-F FILE`; they count before ours. Default: none. */
  readonly options?: readonly string[];
  /** Limit for one attempt to log in. */
  readonly connectTimeoutMs: number;
};

/** Another host, reached over one connection of the OpenSSH client. */
export type SshHost = {
  /**
   * Runs a command there, with the contract of `runCommand` but for: `environment` is not carried over (it has that of
   * its login there, LC_ALL=C.UTF-8, and the user's runtime folder and bus), `input` must be free of NUL bytes, `onStart`
   * is not called, and of a code of 129 to 159 nobody can say whether it was a signal: it counts as one. Where the host
   * cannot be logged in to it is `not-started`, and the reason begins with SSH_UNREACHABLE; nothing is ever run here.
   * The limit does not count the login, which has its own, nor the wait for one of eight sessions, which may take as long again. A
   * command that was stopped is waited for until it is dead there. Where the network is gone, it is ended there when
   * sshd notices, and at the latest ten seconds after its limit.
   */
  readonly run: RunCommand;
  /** Null where the host is logged in to, else SSH_UNREACHABLE. */
  readonly check: () => Promise<Failure | null>;
  /**
   * A stream to a place as seen from there; `signal` ends it. ssh does not tell when it is through: where the place
   * refuses, the stream is destroyed with a `FailureError`, GATE_PROBE_FAILED with what ssh said.
   */
  readonly connect: (host: string, port: number, signal: AbortSignal) => Promise<Outcome<Duplex>>;
  /** Null where something takes connections there, else GATE_PROBE_FAILED or SSH_UNREACHABLE. */
  readonly probeTcp: (host: string, port: number, timeoutMs: number) => Promise<Failure | null>;
  /** The status that a URL is answered with there, see `askHttpOver`. */
  readonly askHttp: (
    url: string,
    timeoutMs: number,
  ) => Promise<{ readonly status: number } | Failure>;
  /**
   * Ends what runs and the connection; resolves when no process of ours is left. Then everything is refused. An open
   * connection keeps this process alive.
   */
  readonly close: () => Promise<void>;
};

/** The connection is well, but its sshd allows no more sessions over it (sshd_config(5) MaxSessions). */
const SESSION_REFUSED = /Session open refused by peer/;

/** `sun_path` holds 108 bytes, and the client first makes a socket with 17 more in its name. */
const MAX_DIR_BYTES = 70;
const DIR = /^\/[^"\\\r\n\0]*$/;

/** Opens a host; the first command logs in. SSH_UNREACHABLE where the target or the folder is not usable. */
export function openSshHost(options: SshHostOptions): Outcome<SshHost> {
  const { target: name, controlDir } = options;
  const target = parseSshTarget(name);
  if (!target) return fail('SSH_UNREACHABLE', `${JSON.stringify(name)} is not the name of a host.`);
  if (!DIR.test(controlDir) || Buffer.byteLength(controlDir) > MAX_DIR_BYTES) {
    return fail('SSH_UNREACHABLE', `${controlDir}: not a path that a socket can have.`);
  }
  const client = { target, extra: options.options ?? [], name };
  const { connectTimeoutMs } = options;
  const shared = new SharedConnection({ ...client, controlDir, connectTimeoutMs });
  const slots = new SessionSlots();
  const closing = new AbortController();
  const open = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    open.add(work);
    void work.finally(() => open.delete(work));
    return work;
  };

  const attempt = async (command: Command): Promise<CommandResult> => {
    // A second time over a new connection, where the first one had gone unnoticed.
    for (let isLast = false; ; isLast = true) {
      const opened = await unlessAborted(shared.get(), command.signal);
      if (!opened) return stopped(command);
      if (!opened.ok) return refuse(command, `SSH_UNREACHABLE: ${opened.failure.detail}`);
      const end = await runSession(command, { ...client, ...opened.value });
      if (end.kind === 'done') return end.result;
      if (isLast || SESSION_REFUSED.test(end.said)) {
        return refuse(command, `SSH_UNREACHABLE: ${name}: ${toLine(end.said)}`);
      }
      await shared.drop(opened.value);
    }
  };
  const run: RunCommand = (asked) => {
    const signal = AbortSignal.any([closing.signal, ...(asked.signal ? [asked.signal] : [])]);
    return track(runInSlot({ ...asked, signal }, slots, attempt));
  };
  const connect: SshHost['connect'] = async (host, port, signal) => {
    if (!isHostName(host) || !isPort(port)) {
      return fail(
        'GATE_PROBE_FAILED',
        `${JSON.stringify(host)}:${port} is not a place to connect to.`,
      );
    }
    const any = AbortSignal.any([closing.signal, signal]);
    const opened = await unlessAborted(shared.get(), any);
    if (!opened) return fail('SSH_UNREACHABLE', `${name}: not logged in before it was stopped.`);
    if (!opened.ok) return opened;
    const forward = openForward({ ...client, ...opened.value }, { host, port }, any);
    void track(forward.ended);
    return succeed(forward.stream);
  };
  return succeed({
    run,
    check: async () => {
      const opened = await shared.get();
      return opened.ok ? null : opened.failure;
    },
    connect,
    probeTcp: (host, port, timeoutMs) => probeTcp(run, name, { host, port, timeoutMs }),
    askHttp: (url, timeoutMs) => askHttpOver(connect, url, timeoutMs),
    close: async () => {
      closing.abort();
      await Promise.all([...open]);
      await shared.close();
    },
  });
}

/** Waits for a session; then the command's own limit begins. */
async function runInSlot(
  command: Command & { readonly signal: AbortSignal },
  slots: SessionSlots,
  attempt: (command: Command) => Promise<CommandResult>,
): Promise<CommandResult> {
  const late = AbortSignal.timeout(command.timeoutMs);
  const release = await slots.take(AbortSignal.any([command.signal, late]));
  if (!release) return stopped(command);
  try {
    return await attempt(command);
  } finally {
    release();
  }
}

/** What comes of `work`, or undefined as soon as `signal` is aborted. */
function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (signal?.aborted) return Promise.resolve(undefined);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal?.addEventListener('abort', () => resolve(undefined), { once: true });
  return Promise.race([work, promise]);
}

/** A command that ended before it began: stopped, or in want of a session. */
function stopped(command: Command): CommandResult {
  const end = { kind: command.signal?.aborted ? 'aborted' : 'timed-out' } as const;
  return { ...refuse(command, ''), end };
}

/** Arguments are data here, too; /dev/tcp is bash's, bash(1) REDIRECTION. */
const TCP_SCRIPT = 'exec 3<>"/dev/tcp/$1/$2"';

async function probeTcp(
  run: RunCommand,
  name: string,
  { host, port, timeoutMs }: { host: string; port: number; timeoutMs: number },
): Promise<Failure | null> {
  if (!isHostName(host) || !isPort(port)) {
    return fail(
      'GATE_PROBE_FAILED',
      `${JSON.stringify(host)}:${port} is not a place to connect to.`,
    ).failure;
  }
  const result = await run({
    argv: ['bash', '-c', TCP_SCRIPT, 'podup', host, String(port)],
    timeoutMs,
  });
  if (isSuccess(result)) return null;
  const { end } = result;
  if (end.kind === 'not-started' || end.kind === 'connection-lost') {
    return unreachable(name, end.reason.replace(/^SSH_UNREACHABLE: /, ''));
  }
  const said = /^.*: ([^:\n]+)$/m.exec(result.stderr)?.[1] ?? formatEnd(result);
  return fail('GATE_PROBE_FAILED', `${host}:${port} on ${name}: ${said}.`).failure;
}
