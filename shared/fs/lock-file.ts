import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fail, type Outcome, succeed } from '../contract/outcome.ts';
import { parseJson, type ReadBy, shape, text, whole } from '../contract/read-shape.ts';
import { loadSystemCallsNow } from '../native/system-calls.ts';
import { foreignEnvironment } from '../process/foreign-environment.ts';

/** A lock that this process holds. The kernel takes it away when the process ends, however it ends. */
export type HeldLock = {
  /** The lock is bound to what this descriptor stands for, so it outlives execve(2) where the descriptor does. */
  readonly fd: number;
  /** Gives the lock back; the file stays, for deleting it would let two hold "the" lock. */
  release(): void;
};

/** What the holder writes into the file: for people, nothing is decided by it. */
const readHolder = shape({ pid: whole(1), startedAt: whole(0, 8.64e15), what: text(100) });
type Holder = ReadBy<typeof readHolder>;
const MAX_HOLDER_BYTES = 1_000;

/** The descriptor on which flock(1) is given the file. */
const LOCK_FD = '3';
/** One look at a lock that is free takes some milliseconds; more than this is a broken host. */
const FLOCK_TIMEOUT_MS = 5_000;
/** How flock(1) is to say that another holds the lock; by itself it says 1, as it does of any mistake. */
const HELD_BY_ANOTHER = 75;
/** How often to look where no program can be made to wait. */
const LOOK_EVERY_MS = 100;
/** How long a holder may take to sign before it is told of without a name. */
const SIGN_LIMIT_MS = 1_000;
const SIGN_LOOK_EVERY_MS = 10;

/**
 * How often a process takes locks: whoever does so all the time loads the system call once (2 MB), in place of a program for
 * each lock, which costs what a hundred calls do.
 */
export type LockUse = 'rare' | 'frequent';

/**
 * Takes the lock on a file, making the file where it is missing. Fails at once with STATE_DIR_IN_USE where another
 * process holds it, in whatever container: the lock is the file's.
 */
export function lockFile(path: string, use: LockUse = 'rare'): Outcome<HeldLock> {
  const opened = open(path);
  return opened.ok ? settle(opened.value, path, tryLock(opened.value, use)) : opened;
}

/** The same, but waits for at most `waitMs`, and not beyond `stop`, for another process to give the lock back or end. */
export async function lockFileWithin(
  path: string,
  waitMs: number,
  stop?: AbortSignal,
): Promise<Outcome<HeldLock>> {
  const opened = open(path);
  if (!opened.ok) return opened;
  return settle(opened.value, path, await waitForLock(opened.value, waitMs, stop));
}

function open(path: string): Outcome<number> {
  try {
    return succeed(openSync(path, 'a+', 0o600));
  } catch (error) {
    return cannotBeUsed(path, error);
  }
}

function cannotBeUsed(name: string, error: unknown): Outcome<never> {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  return fail('STATE_DIR_UNUSABLE', `The lock ${name} cannot be used (${code}).`);
}

/** The lock, or why not; then the descriptor is closed. */
function settle(fd: number, path: string, locked: Outcome<boolean>): Outcome<HeldLock> {
  if (locked.ok && locked.value) {
    signHolder(fd, path);
    let isHeld = true;
    const release = () => {
      if (isHeld) giveBack(fd);
      isHeld = false;
    };
    return succeed({ fd, release });
  }
  const failure = locked.ok ? fail('STATE_DIR_IN_USE', describeHolder(fd, path)) : locked;
  closeSync(fd);
  return failure;
}

function tryLock(fd: number, use: LockUse = 'rare'): Outcome<boolean> {
  if (use === 'frequent') {
    const called = callFlock(fd);
    if (called.ok) return called;
  }
  const { status } = spawnSync('flock', ['-n', LOCK_FD], {
    env: foreignEnvironment(),
    stdio: ['ignore', 'ignore', 'ignore', fd],
    timeout: FLOCK_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  if (status === 0 || status === 1) return succeed(status === 0);
  // There is no such program, or it cannot do it.
  return callFlock(fd);
}

function callFlock(fd: number): Outcome<boolean> {
  const calls = loadSystemCallsNow();
  if (!calls.ok) return calls;
  try {
    return succeed(calls.value.flockExclusive(fd));
  } catch (error) {
    return cannotBeUsed(`on descriptor ${fd}`, error);
  }
}

async function waitForLock(
  fd: number,
  waitMs: number,
  stop?: AbortSignal,
): Promise<Outcome<boolean>> {
  const deadline = performance.now() + waitMs;
  const first = tryLock(fd);
  if (!first.ok || first.value || waitMs <= 0) return first;
  const status = await runWaitingFlock(fd, waitMs, stop);
  if (status === 0 || status === HELD_BY_ANOTHER) return succeed(status === 0);
  for (;;) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0 || stop?.aborted) return succeed(false);
    await wait(Math.min(leftMs, LOOK_EVERY_MS));
    const locked = tryLock(fd);
    if (!locked.ok || locked.value) return locked;
  }
}

/** The exit code of a flock(1) that waits; undefined where there is none. That of busybox cannot wait. */
async function runWaitingFlock(
  fd: number,
  waitMs: number,
  stop?: AbortSignal,
): Promise<number | undefined> {
  const limit = ['-w', String(waitMs / 1000), '-E', String(HELD_BY_ANOTHER)];
  const child = spawn('flock', [...limit, LOCK_FD], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
    env: foreignEnvironment(),
    timeout: waitMs + FLOCK_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...(stop && { signal: stop }),
  });
  try {
    const [code] = await once(child, 'exit');
    return code ?? undefined;
  } catch {
    return undefined;
  }
}

/** Whoever comes too late is to be told whom to look for. A full disk is no reason not to hold the lock. */
function signHolder(fd: number, path: string): void {
  const holder: Holder = { pid: process.pid, startedAt: Date.now(), what: basename(path, '.lock') };
  try {
    ftruncateSync(fd);
    writeSync(fd, `${JSON.stringify(holder)}\n`);
  } catch {
    // The lock itself needs no room.
  }
}

function describeHolder(fd: number, path: string): string {
  const holder = waitForHolder(fd);
  if (!holder) return `Another process holds ${path}.`;
  const { pid, what, startedAt } = holder;
  return `Process ${pid} (${what}) has held ${path} since ${new Date(startedAt).toISOString()}.`;
}

/** Who has just got the lock signs in a moment; until then the file is empty, as the one before has left it. */
function waitForHolder(fd: number): Holder | undefined {
  const deadline = performance.now() + SIGN_LIMIT_MS;
  while (fstatSync(fd).size === 0 && performance.now() < deadline) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SIGN_LOOK_EVERY_MS);
  }
  return findHolder(fd);
}

function findHolder(fd: number): Holder | undefined {
  try {
    const buffer = Buffer.alloc(MAX_HOLDER_BYTES);
    const bytes = readSync(fd, buffer, 0, buffer.length, 0);
    return readHolder(parseJson(buffer.toString('utf8', 0, bytes)));
  } catch {
    return undefined;
  }
}

function giveBack(fd: number): void {
  try {
    ftruncateSync(fd);
  } catch {
    // What stands in the file means nothing without the lock.
  }
  closeSync(fd);
}
