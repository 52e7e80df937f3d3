import { loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import { openStore, type Store } from '../db/store.ts';
import { printFaults } from './print-faults.ts';

/** Carries out a command that works on the database itself. What keeps it from that is printed on stderr. */
export async function withStore(
  environment: NodeJS.ProcessEnv,
  act: (store: Store, settings: Settings, paths: StatePaths) => ExitCode | Promise<ExitCode>,
): Promise<ExitCode> {
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  const { settings, paths } = result.loaded;
  const { database } = paths;
  const opened = openStore(database, { version: PROGRAM.version, nowMs: Date.now() });
  if (!opened.ok) {
    process.stderr.write(`${formatFailure(opened.failure)}\n`);
    return EXIT.failure;
  }
  try {
    return await act(opened.value, settings, paths);
  } finally {
    opened.value.close();
  }
}
