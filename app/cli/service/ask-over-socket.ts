import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { request } from '../../../shared/process/http-client.ts';
import { methodOf, type Question, type Reply } from './question.ts';

/** Each question has a connection of its own. */
const HEADERS = { host: 'localhost', connection: 'close' };

/**
 * Asks over a connection to the service. Where it is lost before the service has begun to work on it, the answer is `again`:
 * nothing was done; afterwards it is `lost`. A body is sent only when the service says that it reads it (RFC 9110 §10.1.1),
 * so that this is known.
 */
export function askOverSocket(
  socket: Socket,
  question: Question,
  signal: AbortSignal,
): Promise<Reply | 'again' | 'lost'> {
  const { path, body } = question;
  const method = methodOf(question);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const { promise, resolve } = Promise.withResolvers<Reply | 'again' | 'lost'>();
  const sent: ClientRequest = request({
    ...{ method, path, createConnection: () => socket, signal },
    headers: {
      ...HEADERS,
      ...question.headers,
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        expect: '100-continue',
      }),
    },
  });
  let isUnderWay = method !== 'GET' && text === undefined;
  sent.on('response', (answer: IncomingMessage) =>
    resolve({ status: answer.statusCode ?? 500, body: answer }),
  );
  sent.on('error', () => resolve(isUnderWay || signal.aborted ? 'lost' : 'again'));
  if (text === undefined) sent.end();
  else {
    sent.flushHeaders();
    sent.once('continue', () => {
      isUnderWay = true;
      sent.end(text);
    });
  }
  return promise;
}
