import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  CHANNEL_FD,
  LISTEN_FD,
  startWithSocket,
  type WorkerCommand,
} from '../worker/spawn-worker.ts';

/** The process that accepts webhooks while no worker can. At most one. */
export type StandbyProcess = {
  start(): void;
  /** Politely; one that does not hear it is killed after a while. Does nothing where none runs. */
  stop(): void;
  /** Stops it and waits for its end, at most `withinMs`; then it is killed. */
  end(withinMs: number): Promise<void>;
  readonly pid: () => number | undefined;
};

/** One that hangs would take connections from the worker, which serves again, and never answer them. */
const STOP_LIMIT_MS = 10_000;

/** Makes the holder of the standby. `onExit` is told of each end, also of one that could not be started. */
export function createStandby(
  command: () => WorkerCommand,
  socketFd: number,
  onExit: (how: string) => void,
  stopLimitMs: number = STOP_LIMIT_MS,
): StandbyProcess {
  let current: ChildProcess | undefined;
  const follow = (child: ChildProcess) => {
    current = child;
    drainChannel(child);
    const end = (how: string) => {
      if (current !== child) return;
      current = undefined;
      onExit(how);
    };
    child.on('exit', (code, signal) => end(signal ?? String(code)));
    child.on('error', (error) => {
      if (child.pid === undefined) end(error.message);
    });
  };
  const stop = (limitMs: number) => {
    const child = current;
    if (!child) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs).unref();
    child.once('exit', () => clearTimeout(timer));
  };
  return {
    start() {
      if (current) return;
      const child = startWithSocket(command(), socketFd);
      if (child instanceof Error) process.nextTick(onExit, child.message);
      else follow(child);
    },
    stop: () => stop(stopLimitMs),
    async end(withinMs) {
      const child = current;
      if (!child) return;
      const exited = once(child, 'exit');
      stop(withinMs);
      await exited.catch(() => undefined);
    },
    pid: () => current?.pid,
  };
}

/** The standby has nothing to say; it learns by the channel that the supervisor is gone. */
function drainChannel(child: ChildProcess): void {
  const channel = child.stdio[CHANNEL_FD] as Duplex | null | undefined;
  channel?.on('error', () => undefined).resume();
  child.on('exit', () => channel?.destroy());
}

/** The command of the standby of this program. */
export function standbyCommand(worker: WorkerCommand): WorkerCommand {
  const at = worker.args.indexOf('http-server');
  return {
    ...worker,
    args: [...worker.args.slice(0, at), 'intake', '--listen-fd', String(LISTEN_FD)],
  };
}
