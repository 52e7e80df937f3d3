import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { programPaths, statePaths } from '../../shared/contract/state-paths.ts';
import { makeExecutable } from '../helpers/executable.ts';
import { startProgram } from './supervisor-process.ts';

const SOURCE = join(import.meta.dirname, '../fixtures/helpers/installed.ts');

/** What stands in the database; the supervisor never looks. */
export const DATABASE = 'what the worker has written';

/** Removed at the end of all tests: at the end of one, what it has started ends only then. */
const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A host on which the program is installed, with a state directory and something that stands for a database. */
export function makeInstalled(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'podup-installé '));
  folders.push(folder);
  const paths = statePaths(join(folder, 'state'));
  const program = programPaths(join(folder, 'program'));
  mkdirSync(paths.dataDir, { recursive: true });
  writeFileSync(paths.database, DATABASE);
  makeExecutable(program.target, SOURCE);
  const environment = { PODUP_STATE_DIR: paths.stateDir, PODUP_TARGET_BIN: program.target };
  const start = (more: NodeJS.ProcessEnv = {}, file = program.target) =>
    startProgram(context, [file, 'supervise'], { ...environment, ...more });
  return { folder, paths, program, start };
}
