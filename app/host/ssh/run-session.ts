import { randomBytes } from 'node:crypto';
import {
  type Command,
  type CommandEnd,
  type CommandResult,
  runCommand,
} from '../../../shared/process/run-command.ts';
import { type ClientOptions, NOT_SHARED, sessionArguments } from './client-arguments.ts';
import { MarkFilter } from './mark-filter.ts';
import { hasEndMark, type Marks, readMarks } from './read-marks.ts';
import { encodeRequest, REMOTE_COMMAND } from './remote-program.ts';
import { toLine } from './shared-connection.ts';

const KILL_GRACE_MS = 2_000;
/** From the end of the grace over there until its word must be here; then the client is killed. */
const WORD_MS = 3_000;
/** What still holds the streams when the command is over is not waited for, as on this machine. */
const PIPE_GRACE_MS = 1_000;
const MAX_OUTPUT_BYTES = 32_768;
/** Half of it holds any mark and what the login shell may say before. */
const MIN_OUTPUT_BYTES = 4_096;
const MARK_CHARACTERS = 200;

/** What a command came to over one session. */
export type SessionEnd =
  | { readonly kind: 'done'; readonly result: CommandResult }
  /** The connection gave no session, so that surely nothing has run. */
  | { readonly kind: 'no-session'; readonly said: string };

/**
 * Runs a command over an open connection. It ends at its limit and by its signal: its input there is closed, which
 * ends its process group, and its end is waited for. Where no word of it comes, the client is killed here.
 */
export async function runSession(
  command: Command,
  client: ClientOptions & { readonly name: string },
): Promise<SessionEnd> {
  const startedAt = performance.now();
  const killGraceMs = command.killGraceMs ?? KILL_GRACE_MS;
  const nonce = randomBytes(8).toString('hex');
  const request = encodeRequest({ ...command, nonce, killGraceMs });
  if ('refusal' in request) return { kind: 'done', result: refuse(command, request.refusal) };

  let reason: 'timed-out' | 'aborted' | undefined;
  const over = new AbortController();
  const kill = new AbortController();
  const killAfter = (ms: number) => after(ms, over.signal, () => kill.abort());
  const { onOutput } = command;
  const filter = onOutput && new MarkFilter(nonce, (chunk) => onOutput('stderr', chunk));
  const outcome = await runCommand({
    argv: sessionArguments(client, REMOTE_COMMAND),
    // Only where all else fails.
    timeoutMs: command.timeoutMs + 2 * (killGraceMs + WORD_MS),
    maxOutputBytes: Math.max(command.maxOutputBytes ?? MAX_OUTPUT_BYTES, MIN_OUTPUT_BYTES),
    signal: kill.signal,
    ...(filter && {
      onOutput: (stream, chunk) =>
        stream === 'stderr' ? filter.add(chunk) : onOutput('stdout', chunk),
    }),
    onStart: ({ stdin, stderr }) => {
      // The client has ended; its end says more.
      stdin?.on('error', () => undefined);
      stdin?.write(request.bytes);
      const stop = (why: 'timed-out' | 'aborted') => {
        if (over.signal.aborted) return;
        reason ??= why;
        stdin?.end();
        killAfter(killGraceMs + WORD_MS);
      };
      after(command.timeoutMs, over.signal, () => stop('timed-out'));
      command.signal?.addEventListener('abort', () => stop('aborted'), { signal: over.signal });
      if (command.signal?.aborted) stop('aborted');
      let tail = '';
      stderr?.on('data', (chunk: Buffer) => {
        tail = `${tail.slice(-MARK_CHARACTERS)}${chunk}`;
        if (!hasEndMark(tail, nonce)) return;
        // It came to its own end; only the streams are still open.
        over.abort();
        setTimeout(() => kill.abort(), PIPE_GRACE_MS).unref();
      });
    },
  });
  over.abort();
  filter?.end();
  const marks = readMarks(outcome.stderr, nonce);
  // What has begun may say that word itself, and must never run twice.
  if (!reason && !marks.end && !marks.hasBegun && marks.stderr.includes(NOT_SHARED)) {
    return { kind: 'no-session', said: outcome.stderr.replaceAll(NOT_SHARED, '') };
  }
  const result: CommandResult = {
    ...outcome,
    argv: command.argv,
    end: reason
      ? { kind: reason }
      : (marks.end ?? describeSilence(marks, outcome.end, client.name)),
    durationMs: Math.round(performance.now() - startedAt),
    stderr: marks.stderr,
  };
  return { kind: 'done', result };
}

/** A command that was not even tried. */
export function refuse(command: Command, reason: string): CommandResult {
  return {
    argv: command.argv,
    end: { kind: 'not-started', reason },
    durationMs: 0,
    stdout: '',
    stderr: '',
    stdoutDropped: 0,
    stderrDropped: 0,
  };
}

/** How a command ended of which no word has come. */
function describeSilence(marks: Marks, client: CommandEnd, name: string): CommandEnd {
  if (client.kind === 'not-started') return client;
  const said = marks.hasBegun ? '' : toLine(marks.stderr);
  const reason = said === '' ? name : `${name}: ${said}`;
  // The login shell has come to an end of its own without having begun; 255 is of ssh, ssh(1).
  return !marks.hasBegun && client.kind === 'exited' && client.code !== 255
    ? { kind: 'not-started', reason: `the login shell exited with ${client.code} at ${reason}` }
    : { kind: 'connection-lost', reason };
}

function after(ms: number, cancel: AbortSignal, act: () => void): void {
  const timer = setTimeout(act, ms);
  cancel.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
