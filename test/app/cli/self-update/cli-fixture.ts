import type { TestContext } from 'node:test';
import type { StatePaths } from '../../../../shared/contract/state-paths.ts';
import { type Ended, type ProgramRun, startProgram } from '../program.ts';

/** Starts `self-update WORDS`, which knows the state directory and nothing else of the service. */
export function startUpdateCli(
  context: TestContext,
  paths: StatePaths,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ProgramRun {
  const all = { PODUP_STATE_DIR: paths.stateDir, ...environment };
  return startProgram(context, ['self-update', ...words], all);
}

/** Runs `self-update WORDS` to its end. */
export function runUpdateCli(
  context: TestContext,
  paths: StatePaths,
  words: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<Ended> {
  return startUpdateCli(context, paths, words, environment).ended;
}
