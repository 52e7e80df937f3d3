import { connect } from 'node:net';
import type { HttpAddress } from '../../shared/contract/http-address.ts';
import { type Failure, fail } from '../../shared/contract/outcome.ts';
import { asObject, parseJson } from '../../shared/contract/read-shape.ts';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks whoever serves the socket who it is and whether it can do its work, over the socket that everybody uses. A plain
 * connection and one line: an HTTP client would cost the supervisor more memory than all the rest of it.
 * Null where the answer is good, else UPDATE_PROBE_FAILED.
 */
export async function probe(
  address: HttpAddress,
  version: string,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Failure | null> {
  const answer = await ask(address, timeoutMs);
  if (!answer.ok) return bad(answer.detail);
  const [head = '', body = ''] = answer.text.split('\r\n\r\n', 2);
  const status = head.split(' ', 2)[1];
  const said = asObject(parseJson(body));
  if (said?.['version'] !== version) {
    return bad(`The answer was ${status} of version ${JSON.stringify(said?.['version'])}.`);
  }
  return status === '200' ? null : bad(`Version ${version} answered ${status}.`);
}

function bad(detail: string): Failure {
  return fail('UPDATE_PROBE_FAILED', detail.slice(0, 500)).failure;
}

type Answer =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly detail: string };

function ask({ host, port }: HttpAddress, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: reachable(host), port });
    const end = (answer: Answer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(
      () => end({ ok: false, detail: `No answer within ${timeoutMs} ms.` }),
      timeoutMs,
    );
    socket.setEncoding('utf8');
    socket.on('connect', () => {
      // To HTTP/1.0 nobody answers in chunks, whatever a later version does by itself.
      socket.write('GET /health/self HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    });
    socket.on('data', (part: string) => {
      text += part;
      if (text.length > MAX_ANSWER_BYTES) end({ ok: false, detail: 'The answer was too long.' });
    });
    socket.on('end', () => end({ ok: true, text }));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end({ ok: false, detail: `It cannot be reached (${error.code}).` }),
    );
  });
}

/** Where an address that stands for all of them is reached from this host. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
