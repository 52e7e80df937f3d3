import type { FastifyInstance, HTTPMethods } from 'fastify';
import type { Need } from '../domain/access.ts';
import { sendFailure } from './problem-reply.ts';

const METHODS: readonly HTTPMethods[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
];

/**
 * Answers every other method of a path with 405 and the Allow header that RFC 9110 §15.5.6 asks for; `needs` as in the
 * configuration of a route.
 */
export function refuseOtherMethods(
  app: FastifyInstance,
  url: string,
  allowed: HTTPMethods | readonly HTTPMethods[],
  needs?: Need,
): void {
  const taken = [allowed].flat();
  app.route({
    method: METHODS.filter((method) => !taken.includes(method)),
    url,
    ...(needs && { config: { needs } }),
    // Whoever answers does not go on.
    onRequest: (request, reply, _done) => {
      reply.header('allow', taken.join(', '));
      // A body of a type that we do not read must not turn the 405 into a 415.
      sendFailure(request, reply, { code: 'METHOD_NOT_ALLOWED', detail: '' });
    },
    handler: () => undefined,
  });
}
