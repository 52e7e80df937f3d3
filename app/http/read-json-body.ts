import type { FastifyInstance } from 'fastify';
import type * as z from 'zod';
import { FailureError, fail } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { describeQueryFault } from '../api/queries.ts';

/** Many times what any request here can be. */
const MAX_BODY_BYTES = 64 * 1024;

/** Takes bodies of the type application/json, and no other, in a scope. None at all is an empty object. */
export function acceptJsonBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
    (_request, body, done) => {
      const text = String(body).trim();
      const value = text === '' ? {} : parseJson(text);
      if (value !== undefined) return done(null, value);
      done(new FailureError(fail('REQUEST_INVALID', 'The body is not JSON.').failure));
    },
  );
}

/**
 * Reads a query or a body by its schema.
 * @throws a `FailureError` that names the first field that is wrong.
 */
export function readBy<T extends z.ZodType>(schema: T, raw: unknown): z.output<T> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new FailureError(fail('REQUEST_INVALID', describeQueryFault(parsed.error)).failure);
}
