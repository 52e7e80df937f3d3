import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { EXIT } from '../../shared/contract/exit-codes.ts';
import type { SupervisorMessage, WorkerNotice } from '../../shared/contract/worker-messages.ts';
import type { Event, StopSignal } from '../core/event.ts';
import { readNotices } from './read-notices.ts';

/** What is run as the worker. */
export type WorkerCommand = {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
};

/** Who is told of the life of a worker. Nothing is told before `spawnWorker` has returned, nor after its end. */
export type WorkerListener = {
  event(event: Event): void;
  notice(notice: WorkerNotice): void;
  /** Asked when it exits with 10: whether a durable request of this very process stands behind it. */
  hasAsked(pid: number): boolean;
  malformed(count: number): void;
};

/** A worker that was started. Telling one that has ended does nothing. */
export type Worker = {
  /** Tells the worker alone, not what it has started. */
  signal(signal: StopSignal): void;
  /** SIGKILL to its whole process group. */
  kill(): void;
  /** Tells it something over the channel; lost where it does not listen any more. */
  send(message: SupervisorMessage): void;
  /** Null where it could not be started. */
  readonly pid: number | null;
  /** False once its end was told. */
  isAlive(): boolean;
};

/** The descriptor on which a worker finds the listening socket. */
export const LISTEN_FD = 3;

/** The descriptor of the IPC channel, and the variable by which Node finds it (`child_process.fork` in Node's manual). */
export const CHANNEL_FD = 4;

/** What may wait for a worker that does not read its channel; beyond this nothing is told to it any more. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * Starts a worker with the listening socket and an IPC channel. Nothing is told of its end before this has returned.
 */
export function spawnWorker(
  command: WorkerCommand,
  socketFd: number,
  listener: WorkerListener,
): Worker {
  let hasEnded = false;
  const end = (event: Event) => {
    if (hasEnded) return;
    hasEnded = true;
    listener.event(event);
  };

  const child = startWithSocket(command, socketFd);
  if (child instanceof Error) {
    process.nextTick(end, { kind: 'spawn-failed', reason: child.message });
    const nothing = () => {};
    return { signal: nothing, kill: nothing, send: nothing, pid: null, isAlive: () => !hasEnded };
  }
  const { pid } = child;
  if (pid !== undefined) {
    process.nextTick(() => listener.event({ kind: 'worker-spawned', pid }));
    listenToChannel(child, listener, () => hasEnded);
  }
  child.on('error', (error) => {
    // Later errors are about signals that found nobody; the exit says all there is to know.
    if (pid === undefined) end({ kind: 'spawn-failed', reason: error.message });
  });
  child.on('exit', (code, signal) => {
    const adopted = code === EXIT.updateRequested && pid !== undefined && listener.hasAsked(pid);
    end({ kind: 'worker-exited', code, signal, adopted });
  });

  return {
    signal: (signal) => {
      if (!hasEnded) child.kill(signal);
    },
    kill: () => {
      // A group is only killed while its leader is not reaped, so the id cannot be another's.
      if (!hasEnded && pid !== undefined) killGroup(pid);
    },
    send: (message) => {
      const channel = child.stdio[CHANNEL_FD] as Duplex | null;
      if (hasEnded || !channel?.writable || channel.writableLength > MAX_UNREAD_BYTES) return;
      channel.write(`${JSON.stringify(message)}\n`);
    },
    pid: pid ?? null,
    isAlive: () => !hasEnded,
  };
}

/**
 * Starts a program that is to serve, with the listening socket and the far end of an IPC channel, in a process group of
 * its own: a Ctrl-C in the terminal then reaches the supervisor only, which passes it on once.
 *
 * The channel is a plain pipe at this end: with `stdio: 'ipc'` Node would parse the messages itself, without a limit,
 * and a line that is no JSON would bring the supervisor down.
 */
export function startWithSocket(command: WorkerCommand, socketFd: number): ChildProcess | Error {
  try {
    return spawn(command.file, command.args, {
      env: {
        ...command.environment,
        NODE_CHANNEL_FD: String(CHANNEL_FD),
        NODE_CHANNEL_SERIALIZATION_MODE: 'json',
      },
      stdio: ['ignore', 'inherit', 'inherit', socketFd, 'pipe'],
      detached: true,
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function listenToChannel(
  child: ChildProcess,
  listener: WorkerListener,
  hasEnded: () => boolean,
): void {
  const channel = child.stdio[CHANNEL_FD] as Duplex;
  readNotices(channel, {
    notice: (notice) => {
      if (hasEnded()) return;
      listener.notice(notice);
      if (notice.kind === 'worker-ready') {
        const { version, schema, digest } = notice;
        listener.event({ kind: 'worker-ready', readiness: { version, schema, digest } });
      }
      if (notice.kind === 'worker-starting') listener.event({ kind: 'worker-starting' });
    },
    malformed: (count) => {
      if (!hasEnded()) listener.malformed(count);
    },
  });
  // Others may have inherited the far end; it must not keep the supervisor from ending.
  child.on('exit', () => channel.destroy());
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group ended in this very moment, and its exit is on its way.
  }
}
