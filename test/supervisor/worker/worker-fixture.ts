import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { Event } from '../../../supervisor/core/event.ts';
import type { WorkerCommand } from '../../../supervisor/worker/spawn-worker.ts';
import { until } from '../../helpers/until.ts';

const LIMIT_MS = 10_000;

/** A shell script as a worker. On descriptor 4 it speaks to its supervisor, and is spoken to. */
export function shell(script: string, environment: NodeJS.ProcessEnv = {}): WorkerCommand {
  return {
    file: 'sh',
    args: ['-c', script],
    environment: { PATH: process.env['PATH'], ...environment },
  };
}

/** A listening socket for a worker. */
export async function makeSocket(context: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

/** Keeps what is told, and waits for it. */
export function keepEvents() {
  const events: Event[] = [];
  return {
    events,
    /** The event of that kind, the `count`th one: what a process says may arrive before the word that it runs. */
    told: (kind: Event['kind'], count = 1) =>
      until(`${kind} ${count}`, LIMIT_MS, () => {
        return events.filter((event) => event.kind === kind)[count - 1];
      }),
  };
}
