import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import type { StatePaths } from '../../../shared/contract/state-paths.ts';
import { lockFile } from '../../../shared/fs/lock-file.ts';
import { fitSocketPath } from '../../../shared/fs/socket-path.ts';

/** Between two workers passes what one takes to end and the next to begin; after that a person should hear of it. */
const READY_WITHIN_MS = 30_000;
const AGAIN_MS = 100;
/** Nobody listens there: it never began, has ended, was killed, or cannot take more at the moment. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'EAGAIN'];

type Paths = Pick<StatePaths, 'serviceSocket' | 'supervisorLock' | 'workerLock'>;

/**
 * Connects to the service of this state; undefined where none runs. One whose worker is being replaced is waited for, and
 * `onWait` is told of that once. Fails with SERVICE_NOT_READY and SERVICE_OF_ANOTHER_USER.
 */
export async function dialService(
  paths: Paths,
  { onWait, withinMs = READY_WITHIN_MS }: { onWait?: () => void; withinMs?: number } = {},
): Promise<Outcome<Socket | undefined>> {
  const deadline = performance.now() + withinMs;
  for (let tries = 0; ; tries++) {
    const tried = await connectTo(paths.serviceSocket);
    if (typeof tried !== 'string') return succeed(tried);
    if (tried === 'EACCES' || tried === 'EPERM') {
      return fail('SERVICE_OF_ANOTHER_USER', `${paths.serviceSocket}: ${tried}.`);
    }
    if (!ABSENT.includes(tried)) {
      return fail('SERVICE_NOT_READY', `${paths.serviceSocket}: ${tried}.`);
    }
    const holder = findHolder(paths);
    if (holder === undefined) return succeed(undefined);
    if (performance.now() > deadline) return fail('SERVICE_NOT_READY', holder);
    if (tries === 0) onWait?.();
    await wait(AGAIN_MS);
  }
}

async function connectTo(path: string): Promise<Socket | string> {
  let release = () => {};
  try {
    const fitting = fitSocketPath(path);
    release = fitting.release;
    const socket = connect(fitting.path);
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    release();
  }
}

/**
 * Who works on the state: the worker, or a supervisor without one. Looking takes the lock for a moment where it is free; a
 * worker that begins just then waits for it.
 */
function findHolder({ workerLock, supervisorLock }: Paths): string | undefined {
  for (const path of [workerLock, supervisorLock]) {
    // Whoever holds it has made it.
    if (!existsSync(path)) continue;
    const lock = lockFile(path, 'frequent');
    if (lock.ok) lock.value.release();
    else return lock.failure.detail;
  }
  return undefined;
}
