import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';

/** Has bodies of these types read as the bytes that they are, in a scope; of every type with `*`. */
export function acceptRawBodies(scope: FastifyInstance, types: string, maxBytes: number): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    types,
    { parseAs: 'buffer', bodyLimit: maxBytes },
    (_request, body, parsed) => parsed(null, body),
  );
}

/** The bytes; none where there is no body. */
export function rawBodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** Refuses a body that is announced to be too large before any of it is read. */
export function checkLength(request: FastifyRequest, maxBytes: number): Outcome<void> {
  const announced = Number(request.headers['content-length'] ?? 0);
  return announced > maxBytes
    ? fail('BODY_TOO_LARGE', `At most ${maxBytes} bytes are read.`)
    : succeed(undefined);
}

/** A header by its name in lower case; the first of several. */
export function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
