import { basename, dirname } from 'node:path';
import type { ProgramPaths, StatePaths } from '../shared/contract/state-paths.ts';
import type { Files } from '../shared/fs/files.ts';

/** How names end under which files are written aside (`durable-file.ts`): of a process, or of one place. */
const ASIDE = /^(?:\.\d+\.[0-9a-z]+)?\.tmp$/;

/**
 * Removes what a supervisor that was killed had written aside and not put in place yet. Only the one that holds the lock
 * may: what another is just writing looks the same. What cannot be removed does no harm.
 */
export function removeAsides(paths: StatePaths, program: ProgramPaths | null, files: Files): void {
  const own = [paths.updateRecord, paths.quarantine, paths.updatePolicy, paths.updateHistory];
  const beside = program ? [program.target, program.old, program.tries] : [];
  for (const path of [...own, ...beside]) removeAsidesOf(path, files);
  const kept = list(paths.backupsDir, files).map((name) => `${paths.backupsDir}/${name}`);
  for (const folder of [paths.updateAnswersDir, paths.reportsDir, ...kept]) {
    removeAll(folder, (name) => name.endsWith('.tmp'), files);
  }
}

function removeAsidesOf(path: string, files: Files): void {
  const start = basename(path);
  const isAside = (name: string) => name.startsWith(start) && ASIDE.test(name.slice(start.length));
  removeAll(dirname(path), isAside, files);
}

function removeAll(folder: string, isWanted: (name: string) => boolean, files: Files): void {
  for (const name of list(folder, files).filter(isWanted)) {
    try {
      files.unlink(`${folder}/${name}`);
    } catch {
      // A disk that cannot be written to is nothing that a start should fail for.
    }
  }
}

function list(folder: string, files: Files): readonly string[] {
  try {
    return files.list(folder);
  } catch {
    return [];
  }
}
