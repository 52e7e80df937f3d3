import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { runPodman } from './podman.ts';

const PODMAN_TIMEOUT_MS = 10_000;
const CLOCK_TIMEOUT_MS = 5_000;
const OLDEST_PODMAN = [4, 3] as const;

/** Whether podman can be run, and what version it is. PODMAN_UNAVAILABLE, PODMAN_FAILED. */
export async function askPodmanVersion(run: RunCommand): Promise<Outcome<string>> {
  const called = await runPodman(run, { args: ['--version'], timeoutMs: PODMAN_TIMEOUT_MS });
  if (!called.ok) return called;
  if (!isSuccess(called.value)) return fail('PODMAN_FAILED', formatEnd(called.value));
  return succeed(/version (\S+)/.exec(called.value.stdout)?.[1] ?? '');
}

/** PODMAN_TOO_OLD where a version is older than what is tested; one that cannot be read is good. */
export function judgePodmanVersion(version: string): Outcome<void> {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  const [oldestMajor, oldestMinor] = OLDEST_PODMAN;
  const isOld =
    major !== undefined &&
    (Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor));
  return isOld ? fail('PODMAN_TOO_OLD', `It is ${version}.`) : succeed(undefined);
}

/** Free for this user, in bytes and in files: a file system without inodes is as full as one without blocks. */
export async function checkDisk(path: string, minFreeBytes: number): Promise<Outcome<void>> {
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

/** LINGER_OFF where this user's manager ends with its last session; good where this host was not booted by systemd. */
export function checkLinger(root = '/'): Outcome<void> {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0 || !existsSync(`${root}run/systemd/system`)) return succeed(undefined);
  const name = nameOfUser(uid);
  if (existsSync(`${root}var/lib/systemd/linger/${name}`)) return succeed(undefined);
  return fail('LINGER_OFF', `The user is ${name}.`);
}

/** Whether the clock of this host is kept right, as systemd says; undefined where nobody says. */
export async function askClockSynchronised(run: RunCommand): Promise<boolean | undefined> {
  const asked = await run({
    argv: ['timedatectl', 'show', '--property=NTPSynchronized', '--value'],
    timeoutMs: CLOCK_TIMEOUT_MS,
  });
  const said = isSuccess(asked) ? asked.stdout.trim() : '';
  return said === 'yes' ? true : said === 'no' ? false : undefined;
}

/** A user without an entry (in a container) is known by its number. */
function nameOfUser(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    return String(uid);
  }
}
