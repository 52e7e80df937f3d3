import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { loadSystemCallsNow } from '../../shared/native/system-calls.ts';
import { nameUser } from '../../shared/process/name-user.ts';
import type { AdminRequest } from './admin-gate.ts';

/** Who is at the other end of a connection over the service's own socket. */
const callers = new WeakMap<Socket, string>();

/** `cli:USER` where a request came over the service's own socket. */
export function localCallerOf({ raw }: AdminRequest): string | undefined {
  return callers.get(raw.socket);
}

/**
 * Lets the other end of a connection in where it is the user of this process, or root, who may do all this anyway. The kernel
 * knows who it is; where it cannot be asked, the rights of the socket's file have let nobody else through. False: it is cut off.
 */
export function admitLocalCaller(socket: Socket, log: Pick<Logger, 'warn'>): boolean {
  const own = process.getuid?.() ?? 0;
  const uid = findPeer(socket, log) ?? own;
  if (uid === own || uid === 0) {
    callers.set(socket, `cli:${uid === own ? nameUser() : 'root'}`);
    return true;
  }
  log.warn({ uid }, 'a connection of another user was refused');
  socket.destroy();
  return false;
}

function findPeer(socket: Socket, log: Pick<Logger, 'warn'>): number | undefined {
  // Node tells the descriptor of a connection nowhere else.
  const { _handle: handle } = socket as { _handle?: { readonly fd?: number } };
  const calls = loadSystemCallsNow();
  if (!calls.ok || handle?.fd === undefined || handle.fd < 0) return undefined;
  try {
    return calls.value.peerOf(handle.fd).uid;
  } catch (error) {
    log.warn({ err: error }, 'who has connected is not known');
    return undefined;
  }
}
