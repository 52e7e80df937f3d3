import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { trackChild } from '../process/own-children.ts';
import { LISTEN_FD, type WorkerCommand } from '../worker/spawn-worker.ts';

/** The process that accepts webhooks while no worker can. At most one. */
export type StandbyProcess = {
  start(): void;
  /** Politely; does nothing where none runs. */
  stop(): void;
  /** Stops it and waits for its end, at most `withinMs`; then it is killed. */
  end(withinMs: number): Promise<void>;
  readonly pid: () => number | undefined;
};

/** Makes the holder of the standby. `onExit` is told when one has ended that nobody had told to. */
export function createStandby(
  command: () => WorkerCommand,
  socketFd: number,
  onExit: (how: string) => void,
): StandbyProcess {
  let current: ChildProcess | undefined;
  const stop = () => void current?.kill('SIGTERM');
  return {
    start() {
      if (current) return;
      const { file, args, environment } = command();
      const child = spawn(file, args, {
        env: environment,
        // The channel says nothing; its end tells the standby that the supervisor is gone.
        stdio: ['ignore', 'inherit', 'inherit', socketFd, 'ipc'],
        detached: true,
      });
      trackChild(child);
      current = child;
      let isOver = false;
      const end = (how: string) => {
        if (isOver) return;
        isOver = true;
        if (current === child) current = undefined;
        onExit(how);
      };
      child.on('exit', (code, signal) => end(signal ?? String(code)));
      child.on('error', (error) => {
        if (child.pid === undefined) end(error.message);
      });
    },
    stop,
    async end(withinMs) {
      const child = current;
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      stop();
      const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
      await exited.catch(() => undefined);
      clearTimeout(timer);
    },
    pid: () => current?.pid,
  };
}

/** The command of the standby of this program. */
export function standbyCommand(worker: WorkerCommand): WorkerCommand {
  const at = worker.args.indexOf('http-server');
  return {
    ...worker,
    args: [...worker.args.slice(0, at), 'intake', '--listen-fd', String(LISTEN_FD)],
  };
}
