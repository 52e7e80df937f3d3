import type { FastifyRequest } from 'fastify';

/** Where a request has come from: over the service's own socket there is no address. */
export function addressOf({ ip }: Pick<FastifyRequest, 'ip'>): string {
  return ip ?? 'local';
}

/** Who asks, for the record, and where from: `token:ci at 10.0.0.7`; on the command line `cli:USER`. */
export function describeCaller({ caller, ip }: FastifyRequest): string {
  const name = caller?.name ?? 'somebody';
  return caller?.by === 'local-socket' ? name : `${name} at ${ip}`;
}

/** Who asks for a task, and how: for its record. */
export function describeAsker(request: FastifyRequest, reason?: string) {
  const path = request.url.split('?', 1)[0] ?? '';
  return { by: describeCaller(request), requestId: request.id, path, reason };
}
