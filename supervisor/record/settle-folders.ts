import { dirname } from 'node:path';
import type { ProgramPaths, StatePaths } from '../../shared/contract/state-paths.ts';
import type { UpdateRecord } from '../../shared/contract/update-record.ts';
import type { Files } from '../../shared/fs/files.ts';

/**
 * Makes durable what a supervisor that was killed left undurable. Its successor sees all of it and acts upon it, but a
 * power cut could still take it away: the record would be an older one than what was done since. Nothing new begins
 * before. A folder that cannot be synced is left: the next write of the record will show what ails the disk.
 */
export function settleFolders(
  paths: StatePaths,
  program: ProgramPaths,
  { txn }: UpdateRecord,
  files: Files,
): void {
  const folder = `${paths.backupsDir}/${txn}`;
  const folders = new Set([
    ...[paths.stateDir, paths.dataDir, dirname(paths.backupsDir), paths.backupsDir, folder],
    ...[`${folder}/failed`, paths.reportsDir, dirname(paths.database), dirname(program.target)],
  ]);
  for (const path of folders) {
    try {
      if (files.facts(path)) files.syncDirectory(path);
    } catch {
      // It is told above.
    }
  }
}
