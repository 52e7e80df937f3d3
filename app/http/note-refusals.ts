import type { FastifyInstance } from 'fastify';
import type { Refusal } from '../deliveries/refused-deliveries.ts';
import { maskPath } from '../domain/mask-path.ts';
import { addressOf } from './describe-asker.ts';

/** Hands on what the routes of a scope have refused, after it was answered. */
export function noteRefusals(
  scope: FastifyInstance,
  note: ((refusal: Refusal) => void) | undefined,
): void {
  if (!note) return;
  scope.addHook('onResponse', (request, reply, next) => {
    const { code, meta } = request.note;
    if (code !== null && reply.statusCode >= 400) {
      note({
        ...{
          address: addressOf(request),
          path: maskPath(request.url.split('?', 1)[0] ?? ''),
          code,
        },
        reason: reasonOf(meta),
        body: Buffer.isBuffer(request.body) ? request.body : undefined,
      });
    }
    next();
  });
}

/** The true reason, which the sender is not told. */
function reasonOf(meta: object | null): string | null {
  return meta && 'refused' in meta && typeof meta.refused === 'string' ? meta.refused : null;
}
