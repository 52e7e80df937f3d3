import type { Server } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Idle keep-alive connections may just be carrying a request: they get this long to show it. */
const IDLE_GRACE_MS = 500;
/** The same where nobody may wait. */
const HURRIED_GRACE_MS = 50;
const HURRIED_LIMIT_MS = 250;

/** Ends what is served, at most in `limitMs`; from the moment on when `hurry` is aborted, in a quarter of a second. */
export type Drain = (limitMs: number, hurry?: AbortSignal) => Promise<void>;

/**
 * Prepares an application, and other servers of it, for a drain in which no request is lost: stop accepting (what arrives waits in the kernel for the
 * next worker), tell every client to close, close idle connections a little later, wait for the rest, at most `limitMs`.
 */
export function prepareDrain(app: FastifyInstance, ...others: readonly Server[]): Drain {
  let isDraining = false;
  const served = [app.server, ...others].map((server) => ({ server, sockets: watch(server) }));
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isDraining) reply.header('connection', 'close');
    done(null, payload);
  });
  return async (limitMs, hurry) => {
    isDraining = true;
    const closing = served.filter(({ server }) => server.listening);
    await Promise.all(closing.map((each) => closeServer(each, limitMs, hurry)));
  };
}

/** The connections that are open. */
function watch(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

function closeServer(
  { server, sockets }: { readonly server: Server; readonly sockets: ReadonlySet<Socket> },
  limitMs: number,
  hurry: AbortSignal | undefined,
): Promise<void> {
  const ended = new AbortController();
  const pursue = (graceMs: number, untilMs: number) => {
    const idle = setInterval(() => server.closeIdleConnections(), graceMs);
    const limit = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, untilMs);
    ended.signal.addEventListener('abort', () => {
      clearInterval(idle);
      clearTimeout(limit);
    });
  };
  return new Promise((resolve) => {
    // Not http.Server's own close: that one cuts off idle keep-alive connections at once (nodejs/node#60617).
    NetServer.prototype.close.call(server, () => {
      ended.abort();
      resolve();
    });
    pursue(IDLE_GRACE_MS, limitMs);
    const hurryUp = () => pursue(HURRIED_GRACE_MS, HURRIED_LIMIT_MS);
    if (hurry?.aborted) hurryUp();
    else hurry?.addEventListener('abort', hurryUp, { signal: ended.signal });
  });
}
