import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SshHost } from './ssh-host.ts';

/** Sockets on this host that lead to places as they are seen from another one. */
export type ForwardSockets = {
  /** The path of the socket that leads to a place; made with the first question, and kept. */
  readonly pathFor: (host: string, port: number) => Promise<string>;
  readonly close: () => Promise<void>;
};

/** Makes such sockets in `folder`, which has to be of this process alone: whoever opens one is there. */
export function createForwardSockets(connect: SshHost['connect'], folder: string): ForwardSockets {
  const closing = new AbortController();
  const servers = new Map<string, Promise<{ path: string; server: Server }>>();

  async function pass(socket: Socket, host: string, port: number): Promise<void> {
    socket.on('error', () => undefined);
    const opened = await connect(host, port, closing.signal);
    if (!opened.ok) {
      socket.destroy();
      return;
    }
    const there = opened.value;
    await Promise.allSettled([pipeline(socket, there), pipeline(there, socket)]);
    socket.destroy();
    there.destroy();
  }

  async function listen(host: string, port: number, index: number) {
    const path = join(folder, `f${index}`);
    const server = createServer((socket) => void pass(socket, host, port)).listen(path);
    await once(server, 'listening');
    return { path, server };
  }

  return {
    async pathFor(host, port) {
      const key = JSON.stringify([host, port]);
      const made = servers.get(key) ?? listen(host, port, servers.size);
      servers.set(key, made);
      return (await made).path;
    },
    async close() {
      closing.abort();
      for (const made of servers.values()) (await made).server.close();
    },
  };
}
