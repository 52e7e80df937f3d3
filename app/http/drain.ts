import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Idle keep-alive connections may just be carrying a request: they get this long to show it. */
const IDLE_GRACE_MS = 500;

/**
 * Prepares a server for a drain in which no request is lost: stop accepting (what arrives waits in the kernel for the
 * next worker), tell every client to close, close idle connections a little later, wait for the rest, at most `limitMs`.
 */
export function prepareDrain(app: FastifyInstance): (limitMs: number) => Promise<void> {
  let isDraining = false;
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isDraining) reply.header('connection', 'close');
    done(null, payload);
  });
  return async (limitMs) => {
    isDraining = true;
    await closeServer(app.server, sockets, limitMs);
  };
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_GRACE_MS);
    const limit = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, limitMs);
    // Not http.Server's own close: that one cuts off idle keep-alive connections at once (nodejs/node#60617).
    NetServer.prototype.close.call(server, () => {
      clearInterval(idle);
      clearTimeout(limit);
      resolve();
    });
  });
}
