import { createHmac } from 'node:crypto';
import { connect } from 'node:net';

/** A request as it goes over the wire, before it is bytes; any of it may be anything. */
export type RawRequest = {
  readonly method: string;
  readonly path: string;
  /** In their order; not checked, so that a line break in one makes two. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** What is announced of the length: the truth, something else, or nothing. */
  readonly length: number | 'right' | 'none' | 'chunked' | 'broken-chunks';
};

/** What came back; no status where the connection was closed without an answer. */
export type RawAnswer = { readonly status: number | undefined; readonly text: string };

/** So long an answer may take before the caller says that it sends no more, upon which the server gives up, too. */
const PATIENCE_MS = 5_000;
const MAX_WAIT_MS = 20_000;
/** Streams never end: the head and what comes with it is enough. */
const MAX_TEXT = 64 * 1024;

/** The bytes of a request. */
function composeRequest({ method, path, headers, body, length }: RawRequest): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (length === 'chunked' || length === 'broken-chunks') lines.push('Transfer-Encoding: chunked');
  else if (length !== 'none')
    lines.push(`Content-Length: ${length === 'right' ? body.length : length}`);
  const head = `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), ...framed(body, length)]);
}

function framed(body: Buffer, length: RawRequest['length']): readonly Buffer[] {
  if (length === 'chunked')
    return [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')];
  if (length === 'broken-chunks') return [Buffer.from('zz\r\n'), body, Buffer.from('\r\n-1\r\n')];
  return [body];
}

/** The header by which GitHub proves that it has sent a body. */
export function signBody(secret: string, body: Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/**
 * Sends a request from an address of this host and reads the answer. Rejects where there is neither an answer nor an end of the
 * connection in 20 s.
 */
export async function sendRequest(
  port: number,
  from: string,
  request: RawRequest,
): Promise<RawAnswer> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from });
  const chunks: Buffer[] = [];
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no answer')), MAX_WAIT_MS);
    const early = setTimeout(() => socket.end(), PATIENCE_MS);
    const end = () => {
      clearTimeout(late);
      clearTimeout(early);
      resolve();
    };
    // One that is cut off while it is being written to has been answered, or refused, before.
    socket.on('error', end).on('close', end);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_TEXT || isWhole(Buffer.concat(chunks), request.method)) end();
    });
    socket.write(composeRequest(request));
    // The server would wait for the rest.
    if (request.length !== 'right' && request.length !== 'chunked') socket.end();
  }).finally(() => socket.destroy());
  const text = Buffer.concat(chunks).toString('latin1');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return { status: status === undefined ? undefined : Number(status), text };
}

function isWhole(answer: Buffer, method: string): boolean {
  const text = answer.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1 || /^HTTP\/1\.1 100/.test(text)) return false;
  const head = text.slice(0, end);
  if (method === 'HEAD' || /^HTTP\/1\.1 [23]04/.test(head)) return true;
  if (/^content-type: text\/event-stream/im.test(head)) return true;
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length !== undefined) return answer.length >= end + 4 + Number(length);
  return text.endsWith('0\r\n\r\n');
}
