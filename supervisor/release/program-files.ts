import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ProgramPaths } from '../../shared/contract/state-paths.ts';
import type { UpdateRecord } from '../../shared/contract/update-record.ts';
import type { BulkFiles } from '../../shared/fs/bulk-files.ts';
import {
  linkDurably,
  makeDirectoryDurably,
  removeDurably,
  renameDurably,
  writeFileDurably,
} from '../../shared/fs/durable-file.ts';
import type { Files } from '../../shared/fs/files.ts';

/** What the file acts of an update work with. */
export type ProgramParts = {
  readonly program: ProgramPaths;
  /** The folder of this update below `data/backups/auto_update`. */
  readonly folder: string;
  readonly files: Files;
  readonly bulk: BulkFiles;
};

/** The names in the folder of an update. */
export const KEPT = {
  program: 'program',
  identity: 'program.json',
  database: 'database.db',
  backup: 'backup.json',
} as const;

/**
 * Keeps the program that runs, for going back to it later on: a second name for the same bytes where it lies on the
 * same file system, else a copy. May be repeated.
 */
export async function keepProgram(parts: ProgramParts, { from }: UpdateRecord): Promise<void> {
  const { program, folder, files } = parts;
  makeDirectoryDurably(folder, 0o700, files);
  await nameOrCopy(parts, program.target, `${folder}/${KEPT.program}`);
  writeFileDurably(`${folder}/${KEPT.identity}`, JSON.stringify(from), 0o600, files);
}

/**
 * Exchanges the program: the running one becomes `.old`, the staged one takes its place in one rename. At no moment is
 * there no program at the target. The launcher starts `.old` until the new one is proven. May be repeated from any
 * point at which it was cut off. Fails with UPDATE_SWAP_FAILED before anything was changed; throws the system's error
 * where it cannot tell.
 */
export async function switchProgram(
  { program, files, bulk }: ProgramParts,
  { from, to }: UpdateRecord,
): Promise<Outcome<void>> {
  const { target, staged, old, tries } = program;
  if (!to) return fail('UPDATE_SWAP_FAILED', 'No release was chosen.');
  const digest = await hashIfThere(bulk, files, target);
  if (digest === to.digest) {
    files.syncDirectory(folderOf(target));
    return succeed(undefined);
  }
  if (digest !== from.digest) {
    return fail('UPDATE_SWAP_FAILED', `${target} is not the program that ran: it was changed.`);
  }
  if ((await hashIfThere(bulk, files, staged)) !== to.digest) {
    return fail(
      'UPDATE_SWAP_FAILED',
      `${staged} is not what was verified: it was changed or is gone.`,
    );
  }
  linkDurably(target, old, files);
  writeFileDurably(tries, '0\n', 0o644, files);
  renameDurably(staged, target, files);
  return succeed(undefined);
}

/**
 * Puts the old program back in one rename, from `.old` or from where it was kept. May be repeated. Fails with
 * UPDATE_ROLLBACK_FAILED where it is nowhere whole; throws the system's error.
 */
export async function restoreProgram(
  parts: ProgramParts,
  { from }: UpdateRecord,
): Promise<Outcome<void>> {
  const { program, folder, files, bulk } = parts;
  const { target, old } = program;
  if ((await hashIfThere(bulk, files, target)) === from.digest) {
    files.syncDirectory(folderOf(target));
    return succeed(undefined);
  }
  if ((await hashIfThere(bulk, files, old)) === from.digest) {
    linkDurably(old, target, files);
    return succeed(undefined);
  }
  const kept = `${folder}/${KEPT.program}`;
  if ((await hashIfThere(bulk, files, kept)) === from.digest) {
    await nameOrCopy(parts, kept, target);
    return succeed(undefined);
  }
  return fail('UPDATE_ROLLBACK_FAILED', `Neither ${old} nor ${kept} is the old program.`);
}

/** Removes what an update leaves beside the program: from now on the launcher starts what lies at the target. */
export function removeLeftovers(parts: ProgramParts, isDone: boolean): void {
  removeIfThere(parts, [parts.program.tries]);
  removeStaged(parts, isDone);
}

/** Removes what was staged; a download that can be continued only where it is done with. */
export function removeStaged(parts: ProgramParts, isDone: boolean): void {
  const { staged, partial } = parts.program;
  removeIfThere(parts, [staged, ...(isDone ? [partial, `${partial}.json`] : [])]);
}

function removeIfThere({ files }: ProgramParts, names: readonly string[]): void {
  for (const name of names) {
    if (files.facts(name) !== undefined) removeDurably(name, files);
  }
}

async function nameOrCopy({ files, bulk }: ProgramParts, from: string, to: string): Promise<void> {
  try {
    linkDurably(from, to, files);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await bulk.copy(from, `${to}.tmp`);
    renameDurably(`${to}.tmp`, to, files);
  }
}

async function hashIfThere(
  bulk: BulkFiles,
  files: Files,
  path: string,
): Promise<string | undefined> {
  return files.facts(path) === undefined ? undefined : bulk.hash(path);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}
