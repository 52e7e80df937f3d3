import { loadSettings } from '../../shared/config/load-settings.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import { backUpDatabase } from '../db/backup-database.ts';
import { MIGRATIONS } from '../db/generated-migrations.ts';
import { inspectDatabase } from '../db/inspect-database.ts';
import { printFaults } from './print-faults.ts';

/** `db-backup FILE`: for the supervisor, which opens no database. One JSON object on stdout. */
export async function databaseBackup(
  file: string,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const path = findDatabase(environment);
  if (path === undefined) return EXIT.configInvalid;
  const backup = await backUpDatabase(path, file);
  if (!backup.ok) {
    process.stderr.write(`${formatFailure(backup.failure)}\n`);
    return EXIT.failure;
  }
  process.stdout.write(`${JSON.stringify(backup.value)}\n`);
  return EXIT.ok;
}

/** `db-inspect [FILE]`: whether this program could run on a database. One JSON object on stdout. */
export function databaseInspect(
  file: string | undefined,
  environment: NodeJS.ProcessEnv,
): ExitCode {
  const path = file ?? findDatabase(environment);
  if (path === undefined) return EXIT.configInvalid;
  process.stdout.write(`${JSON.stringify(inspectDatabase(path, MIGRATIONS))}\n`);
  return EXIT.ok;
}

function findDatabase(environment: NodeJS.ProcessEnv): string | undefined {
  const result = loadSettings(environment);
  if (result.ok) return result.loaded.paths.database;
  printFaults(result.faults);
  return undefined;
}
