import type { FastifyInstance } from 'fastify';
import type { Refusal } from '../deliveries/refused-deliveries.ts';

/**
 * Hands on what the routes of a scope have refused, after it was answered. `pathOf` gives its path without what is secret in it.
 */
export function noteRefusals(
  scope: FastifyInstance,
  note: ((refusal: Refusal) => void) | undefined,
  pathOf: (url: string) => string,
): void {
  if (!note) return;
  scope.addHook('onResponse', (request, reply, next) => {
    const { code } = request.note;
    if (code !== null && code !== undefined && reply.statusCode >= 400) {
      const body = Buffer.isBuffer(request.body) ? request.body : undefined;
      note({ address: request.ip, path: pathOf(request.url), code, body });
    }
    next();
  });
}
