import { accessSync, constants } from 'node:fs';
import { findStateDirectory } from '../shared/config/state-directory.ts';
import { fail, type Outcome, succeed } from '../shared/contract/outcome.ts';
import { type StatePaths, statePaths } from '../shared/contract/state-paths.ts';
import { makeDirectoryDurably } from '../shared/fs/durable-file.ts';

/** The state directory that a process with this environment uses; undefined where there can be none. */
export function findStateDir(environment: NodeJS.ProcessEnv): string | undefined {
  const configured = environment['PODUP_STATE_DIR'] || environment['WEBHOOK_STATE_DIR'];
  const found = findStateDirectory(configured || undefined, { environment, isWritable });
  return found?.replace(/(?<=.)\/+$/, '');
}

/** Where this supervisor finds everything; its data folder is made. Fails with STATE_DIR_UNUSABLE. */
export function findStatePaths(environment: NodeJS.ProcessEnv): Outcome<StatePaths> {
  const stateDir = findStateDir(environment);
  if (stateDir === undefined) {
    return fail('STATE_DIR_UNUSABLE', 'PODUP_STATE_DIR is not set and there is no HOME.');
  }
  const paths = statePaths(stateDir);
  const url = environment['PODUP_DB_URL'] || environment['WEBHOOK_DB_URL'];
  const database = url?.replace(/^sqlite:(?:\/\/)?/, '') ?? paths.database;
  const reportsDir = environment['PODUP_SELF_UPDATE_REPORT_DIR'] || paths.reportsDir;
  try {
    makeDirectoryDurably(paths.dataDir);
  } catch (error) {
    return fail(
      'STATE_DIR_UNUSABLE',
      `${paths.dataDir}: ${(error as NodeJS.ErrnoException).code}.`,
    );
  }
  return succeed({ ...paths, database, reportsDir });
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
