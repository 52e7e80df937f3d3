import { connect } from 'node:net';
import { type Failure, fail } from '../../shared/contract/outcome.ts';
import { Agent, request } from '../../shared/process/undici-parts.ts';
import type { ProbeSource } from './host.ts';

/** Asks what serves on this host, and what this host reaches. */
export const askLocal: ProbeSource = { http: askHttp, tcp: askTcp };

async function askHttp(
  url: string,
  timeoutMs: number,
): Promise<{ readonly status: number } | Failure> {
  // One for each question: a shared one would connect once more in place of the connection that is cut off below.
  const dispatcher = new Agent();
  try {
    const answer = await request(url, {
      dispatcher,
      method: 'GET',
      headers: { 'user-agent': 'pod-upgrade-trigger', connection: 'close' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    // What it says is of no interest; the connection must not stay open for it.
    answer.body.on('error', () => undefined).destroy();
    return { status: answer.statusCode };
  } catch (error) {
    return bad(`${url.replace(/[?#].*$/s, '')}: ${describe(error, timeoutMs)}.`);
  } finally {
    await dispatcher.destroy();
  }
}

function askTcp(host: string, port: number, timeoutMs: number): Promise<Failure | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.timeout(timeoutMs) });
    const end = (failure: Failure | null) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => end(null));
    socket.once('error', (error) => end(bad(`${host}:${port}: ${describe(error, timeoutMs)}.`)));
  });
}

function bad(detail: string): Failure {
  return fail('GATE_PROBE_FAILED', detail.slice(0, 500)).failure;
}

function describe(error: unknown, timeoutMs: number): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || name === 'AbortError') return `no answer within ${timeoutMs} ms`;
  return typeof code === 'string' ? code : message;
}
