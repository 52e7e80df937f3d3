import type { FastifyRequest } from 'fastify';

/** Who asks, for the record: `cli:USER` on the command line, else an admin and where from. */
export function describeCaller({ note, ip }: FastifyRequest): string {
  return note.actor?.startsWith('cli:') ? note.actor : `admin at ${ip}`;
}

/** Who asks for a task, and how: for its record. */
export function describeAsker(request: FastifyRequest, reason?: string) {
  const path = request.url.split('?', 1)[0] ?? '';
  return { by: describeCaller(request), requestId: request.id, path, reason };
}
