import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { fitSocketPath } from '../../shared/fs/socket-path.ts';
import { admitLocalCaller } from './local-callers.ts';

/** A socket that others may neither read nor write. */
const OTHERS_MASK = 0o177;

/** A second server of an application, whose callers are known by their user and need no token; see `listenLocally`. */
export function createLocalServer(app: FastifyInstance, log: Pick<Logger, 'warn'>): Server {
  const { requestTimeout, keepAliveTimeout } = app.server;
  const server = createServer({ requestTimeout, keepAliveTimeout }, (request, response) =>
    app.routing(request, response),
  );
  server.on('connection', (socket) => admitLocalCaller(socket, log));
  return server;
}

/**
 * Listens on a path, in place of the dead server that has left its socket there: whoever calls this holds the lock on the
 * state, so nobody else serves it. Only this user can connect. Fails with SOCKET_UNAVAILABLE.
 */
export async function listenLocally(server: Server, path: string): Promise<Outcome<void>> {
  try {
    const fitting = fitSocketPath(path);
    server.once('close', fitting.release);
    rmSync(fitting.path, { force: true });
    const mask = process.umask(OTHERS_MASK);
    try {
      // Bound before this returns, so nobody finds it with other rights.
      server.listen(fitting.path);
    } finally {
      process.umask(mask);
    }
    await once(server, 'listening');
    return succeed(undefined);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail('SOCKET_UNAVAILABLE', `${path}: ${code ?? message}.`);
  }
}
