import { connect } from 'node:net';
import { Agent, request } from 'undici';
import { type Failure, fail } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import type { Probe } from '../domain/unit-policy.ts';

/** One question; that a unit needs longer to start is the gate's business. */
const TIMEOUT_MS = 5_000;

/**
 * Asks a unit whether it does its work: an HTTP answer of 200 to 399 (redirects are an answer, and not followed), a TCP
 * connection, or a command that exits with 0. Null where it is content, else GATE_PROBE_FAILED with what was seen.
 */
export async function askProbe(probe: Probe, run: RunCommand): Promise<Failure | null> {
  switch (probe.kind) {
    case 'http':
      return askHttp(probe.url);
    case 'tcp':
      return askTcp(probe.host, probe.port);
    case 'exec': {
      const [file = '', ...args] = probe.argv;
      const argv = [file, ...args] as const;
      const result = await run({ argv, timeoutMs: TIMEOUT_MS, hidesArguments: true });
      return isSuccess(result) ? null : bad(formatEnd({ ...result, argv: [file] }));
    }
  }
}

async function askHttp(url: string): Promise<Failure | null> {
  // One for each question: a shared one would connect once more in place of the connection that is cut off below.
  const dispatcher = new Agent();
  try {
    const answer = await request(url, {
      dispatcher,
      headers: { 'user-agent': 'pod-upgrade-trigger', connection: 'close' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // What it says is of no interest; the connection must not stay open for it.
    answer.body.on('error', () => undefined).destroy();
    const isGood = answer.statusCode >= 200 && answer.statusCode < 400;
    return isGood ? null : bad(`${withoutQuery(url)} answered ${answer.statusCode}.`);
  } catch (error) {
    return bad(`${withoutQuery(url)}: ${describe(error)}.`);
  } finally {
    await dispatcher.destroy();
  }
}

function askTcp(host: string, port: number): Promise<Failure | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const end = (failure: Failure | null) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => end(null));
    socket.once('error', (error) => end(bad(`${host}:${port}: ${describe(error)}.`)));
  });
}

/** A query may hold a token. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

function bad(detail: string): Failure {
  return fail('GATE_PROBE_FAILED', detail.slice(0, 500)).failure;
}

function describe(error: unknown): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || name === 'AbortError') return `no answer within ${TIMEOUT_MS} ms`;
  return typeof code === 'string' ? code : message;
}
