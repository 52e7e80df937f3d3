import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { ProgramPaths } from '../contract/state-paths.ts';

/** A process that has the database open. */
export type Opener = {
  readonly pid: number;
  /** The first words of its command line; the later ones may be secret. */
  readonly command: string;
};

const MAX_OPENERS = 20;
const MAX_COMMAND_WORDS = 3;
const MAX_COMMAND_LENGTH = 200;
/** Before the script of an interpreter stand its options. */
const MAX_WORDS_TO_SCRIPT = 10;
/** How long a killed process may take to let go. */
const END_LIMIT_MS = 2_000;
const LOOK_EVERY_MS = 5;

/**
 * Who has the database or what lies beside it open, other than this process; the first twenty. A file is known by its
 * inode, so that neither another path to it nor another mount namespace hides it. Processes of other users cannot be
 * looked into, unless one is root; they cannot open the database either.
 */
export function findOpeners(database: string): readonly Opener[] {
  const openers: Opener[] = [];
  const wanted = [database, `${database}-wal`, `${database}-shm`].flatMap((path) => {
    const facts = statSync(path, { throwIfNoEntry: false });
    return facts ? { name: basename(path), device: facts.dev, inode: facts.ino } : [];
  });
  if (wanted.length === 0) return openers;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    if (hasOpen(pid, wanted)) openers.push({ pid, command: describeCommand(pid) });
    if (openers.length === MAX_OPENERS) break;
  }
  return openers;
}

/**
 * Ends those that have the database open and are started from a file of this program: what is left of a worker that
 * died, and its tasks, which begin again. Gives the others, in words.
 */
export function clearOpeners(database: string, program: ProgramPaths): readonly string[] {
  const deadline = performance.now() + END_LIMIT_MS;
  // One that is ending has no command line any more, but its files still.
  const killed = new Set<number>();
  for (;;) {
    const openers = findOpeners(database);
    const own = openers.filter(({ pid }) => killed.has(pid) || isOf(pid, program));
    for (const { pid } of own) {
      kill(pid);
      killed.add(pid);
    }
    if (own.length === 0 || performance.now() > deadline) {
      return openers.map(({ pid, command }) => `process ${pid} (${command})`);
    }
    // Nothing else may happen meanwhile, so this thread waits.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
}

type Wanted = { readonly name: string; readonly device: number; readonly inode: number };

function hasOpen(pid: number, wanted: readonly Wanted[]): boolean {
  const folder = `/proc/${pid}/fd`;
  return unlessGone(() => readdirSync(folder), []).some((fd) => {
    const path = `${folder}/${fd}`;
    // The name first: asking for what a descriptor stands for may hang where that is a dead network drive.
    const name = basename(unlessGone(() => readlinkSync(path), ''));
    const named = wanted.filter((each) => each.name === name);
    if (named.length === 0) return false;
    const facts = unlessGone(() => statSync(path), undefined);
    return named.some(({ device, inode }) => facts?.dev === device && facts.ino === inode);
  });
}

function describeCommand(pid: number): string {
  return readWords(pid).slice(0, MAX_COMMAND_WORDS).join(' ').slice(0, MAX_COMMAND_LENGTH);
}

/** Whether a process was started from one of these files, itself or as the script of an interpreter. */
function isOf(pid: number, { target, old, staged }: ProgramPaths): boolean {
  const executable = unlessGone(() => readlinkSync(`/proc/${pid}/exe`), '');
  const started = [
    executable.replace(/ \(deleted\)$/, ''),
    ...readWords(pid).slice(0, MAX_WORDS_TO_SCRIPT),
  ];
  return started.some((path) => path === target || path === old || path === staged);
}

function readWords(pid: number): string[] {
  return unlessGone(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '').split('\0');
}

function kill(pid: number): void {
  unlessGone(() => process.kill(pid, 'SIGKILL'), false);
}

/** What `look` gives, or `otherwise` where the process is gone or another user's. */
function unlessGone<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
