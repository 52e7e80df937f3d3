import { statfs } from 'node:fs/promises';
import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { runPodman } from './podman.ts';
import { checkUserManager } from './systemctl.ts';

/** One part of the host or of ourselves, and whether it is well. */
export type HealthCheck = {
  readonly component: 'database' | 'disk' | 'podman' | 'user-manager';
  readonly failure: Failure | undefined;
};

type Parts = {
  readonly run: RunCommand;
  readonly checkDatabase: () => Outcome<void>;
  readonly stateDir: string;
  readonly minFreeBytes: number;
};

/** Anybody may ask, so what costs a process is asked at most this often. */
const HOST_FRESH_MS = 10_000;
const PODMAN_TIMEOUT_MS = 10_000;

/** Makes the function that examines everything; concurrent callers share one examination of the host. */
export function createHealthCheck(parts: Parts): () => Promise<readonly HealthCheck[]> {
  let host: Promise<readonly HealthCheck[]> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (!host || performance.now() - askedAt > HOST_FRESH_MS) {
      askedAt = performance.now();
      host = examineHost(parts.run);
    }
    return [
      toCheck('database', parts.checkDatabase()),
      toCheck('disk', await checkDisk(parts.stateDir, parts.minFreeBytes)),
      ...(await host),
    ];
  };
}

async function examineHost(run: RunCommand): Promise<readonly HealthCheck[]> {
  const [podman, manager] = await Promise.all([checkPodman(run), checkUserManager(run)]);
  return [toCheck('podman', podman), toCheck('user-manager', manager)];
}

/** One part as it was found. */
export function toCheck(component: HealthCheck['component'], outcome: Outcome<void>): HealthCheck {
  return { component, failure: outcome.ok ? undefined : outcome.failure };
}

async function checkPodman(run: RunCommand): Promise<Outcome<void>> {
  const called = await runPodman(run, { args: ['--version'], timeoutMs: PODMAN_TIMEOUT_MS });
  if (!called.ok) return called;
  return isSuccess(called.value)
    ? succeed(undefined)
    : fail('PODMAN_FAILED', formatEnd(called.value));
}

/** Free for this user, in bytes and in files: a file system without inodes is as full as one without blocks. */
async function checkDisk(path: string, minFreeBytes: number): Promise<Outcome<void>> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(path);
    const free = bavail * bsize;
    if (free < minFreeBytes) return fail('DISK_LOW', `${path}: ${free} bytes are free.`);
    if (files > 0 && ffree === 0) return fail('DISK_LOW', `${path}: no inode is free.`);
    return succeed(undefined);
  } catch (error) {
    return fail('STATE_DIR_UNUSABLE', `${path}: ${(error as NodeJS.ErrnoException).code}.`);
  }
}
