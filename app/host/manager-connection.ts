import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type MessageBus } from 'dbus-native';
import { MessageSieve } from './message-sieve.ts';

const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER_PATH = '/org/freedesktop/systemd1';
const CONNECT_TIMEOUT_MS = 5_000;
const KNOCK_EVERY_MS = 10;
/** Ends of jobs that nobody has asked for yet, most of them of others: those of before are of no interest. */
const MAX_ENDS_KEPT = 1_024;

/** How a job of systemd ended: `done`, `failed`, `canceled`, `timeout`, `dependency`, … (org.freedesktop.systemd1(5)). */
export type JobResult = string;

/** A connection to a service manager, by the socket that it has for systemctl(1) and no bus in between. */
export type ManagerConnection = {
  /** Rejects with the error of the manager, which has a `dbusName`; with any other where nobody knows. */
  readonly getProperty: (path: string, face: string, name: string) => Promise<unknown>;
  readonly callManager: (member: string, ...words: readonly string[]) => Promise<unknown>;
  /** Resolves when the job has ended; rejects where the connection ends first. */
  readonly untilJobEnded: (job: string) => Promise<JobResult>;
  readonly isClosed: () => boolean;
  readonly close: () => void;
};

/** What is read of it lacks the signals that are of no interest here. */
class SievedSocket extends Socket {
  readonly #sieve = new MessageSieve(['JobRemoved']);

  override push(piece: Buffer | null): boolean {
    if (piece === null) return super.push(null);
    const passed = this.#sieve.add(piece);
    return passed.length === 0 || super.push(passed);
  }
}

/** Rejects where nobody listens there, or does not let us in. */
export async function connectManager(socket: string): Promise<ManagerConnection> {
  const stream = new SievedSocket();
  stream.connect(socket);
  const bus = createClient({ stream, direct: true, authMethods: ['EXTERNAL'] });
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => undefined);
  let isClosed = false;
  const end = (error?: Error) => {
    isClosed = true;
    closed.reject(error ?? new Error('the connection to the service manager was closed'));
  };
  bus.connection.on('error', end);
  bus.connection.on('close', end);
  const jobs = hearJobs(bus);
  const limit = setTimeout(() => {
    end(new Error('the service manager does not answer'));
    bus.connection.stream.destroy();
  }, CONNECT_TIMEOUT_MS);
  const connected = new Promise<void>((resolve) => bus.connection.on('connect', resolve));
  const heard = connected.then(() => knock(bus, () => isClosed));
  await Promise.race([heard, closed.promise]).finally(() => clearTimeout(limit));

  const invoke = (path: string, face: string, member: string, body: readonly string[]) =>
    bus.invoke<unknown>({
      ...{ destination: SYSTEMD, path, interface: face, member },
      ...(body.length > 0 && { signature: 's'.repeat(body.length), body: [...body] }),
    });
  return {
    getProperty: async (path, face, name) =>
      await invoke(path, 'org.freedesktop.DBus.Properties', 'Get', [face, name]),
    callManager: async (member, ...words) =>
      await invoke(MANAGER_PATH, `${SYSTEMD}.Manager`, member, words),
    untilJobEnded: (job) => Promise.race([jobs.untilEnded(job), closed.promise]),
    isClosed: () => isClosed,
    close: () => {
      end();
      bus.connection.stream.destroy();
    },
  };
}

/**
 * Asks for a sign of life until there is one. systemd reads the end of the greeting and what follows it at once where it
 * is busy, and then answers only when still more comes (sd-bus: what is left in its buffer wakes nobody).
 */
async function knock(bus: MessageBus, isOver: () => boolean): Promise<void> {
  const heard = Promise.withResolvers<void>();
  let isHeard = false;
  heard.promise.then(() => {
    isHeard = true;
  });
  while (!isHeard && !isOver()) {
    const answer = bus.invoke({
      ...{ destination: SYSTEMD, path: '/' },
      ...{ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' },
    });
    // An error is an answer, too.
    answer.then(heard.resolve, () => heard.resolve());
    await Promise.race([heard.promise, delay(KNOCK_EVERY_MS)]);
  }
}

/** Of a job that ends at once the end is heard before anybody knows its name. */
function hearJobs(bus: MessageBus) {
  const ended = new Map<string, JobResult>();
  const awaited = new Map<string, (result: JobResult) => void>();
  bus.connection.on('message', ({ member, body }) => {
    if (member !== 'JobRemoved') return;
    const [, job, , result] = body as [number, string, string, JobResult];
    const waiting = awaited.get(job);
    awaited.delete(job);
    if (waiting) return waiting(result);
    ended.set(job, result);
    const oldest = ended.keys().next().value;
    if (ended.size > MAX_ENDS_KEPT && oldest !== undefined) ended.delete(oldest);
  });
  return {
    untilEnded: (job: string): Promise<JobResult> => {
      const known = ended.get(job);
      ended.delete(job);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => awaited.set(job, resolve));
    },
  };
}
