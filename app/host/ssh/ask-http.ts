import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import {
  type Failure,
  FailureError,
  fail,
  type Outcome,
} from '../../../shared/contract/outcome.ts';
import { request, requestTls } from '../../../shared/process/http-client.ts';

/** Opens a stream to a place as seen from the host. */
export type Connect = (host: string, port: number, signal: AbortSignal) => Promise<Outcome<Duplex>>;

/**
 * Asks for a URL over a stream of its own and gives the status of the answer; its body is not read, and redirects are
 * answers like others. Certificates are checked against the name in the URL. GATE_PROBE_FAILED with what went wrong, or
 * SSH_UNREACHABLE.
 */
export async function askHttpOver(
  connect: Connect,
  text: string,
  timeoutMs: number,
): Promise<{ readonly status: number } | Failure> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    return bad(`${withoutQuery(text)} is no http or https URL.`);
  }
  const limit = AbortSignal.timeout(timeoutMs);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const connected = await connect(host, choosePort(url), limit);
  if (!connected.ok) return connected.failure;
  const stream = connected.value;
  const { promise, resolve } = Promise.withResolvers<{ readonly status: number } | Failure>();
  const refuse = (error: Error) =>
    resolve(
      error instanceof FailureError
        ? error.failure
        : bad(
            `${withoutQuery(text)}: ${limit.aborted ? `no answer within ${timeoutMs} ms` : describe(error)}.`,
          ),
    );
  // The stream knows best why it ended, and says so first.
  stream.once('error', refuse);
  limit.addEventListener('abort', () => refuse(new Error('late')));
  ask(url, host, stream)
    .once('error', refuse)
    .once('response', (response) => {
      response.on('error', () => undefined).destroy();
      resolve({ status: response.statusCode ?? 0 });
    })
    .end();
  const answer = await promise;
  stream.on('error', () => undefined).destroy();
  return answer;
}

function ask(url: URL, host: string, stream: Duplex) {
  const headers = { 'user-agent': 'pod-upgrade-trigger', connection: 'close' };
  if (url.protocol === 'http:') {
    return request(url, { headers, createConnection: () => stream });
  }
  // A name for SNI must not be an address, RFC 6066; the certificate is checked against either.
  const isAddress = /^[\d.]+$|:/.test(host);
  const createConnection = () =>
    connectTls({ socket: stream, host, ...(!isAddress && { servername: host }) });
  return requestTls(url, { headers, createConnection });
}

function choosePort(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** A query may hold a token, and so may what stands before the host. */
function withoutQuery(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//');
}

function bad(detail: string): Failure {
  return fail('GATE_PROBE_FAILED', detail.slice(0, 500)).failure;
}

function describe(error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
