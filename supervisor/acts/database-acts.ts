import { parseBackupAnswer, parseInspectAnswer } from '../../shared/contract/helper-answers.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { DatabaseBackup, UpdateRecord } from '../../shared/contract/update-record.ts';
import type { BulkFiles } from '../../shared/fs/bulk-files.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import type { Files } from '../../shared/fs/files.ts';
import {
  backUpRaw,
  isRestorationBegun,
  restoreDatabase,
} from '../../shared/fs/restore-database.ts';
import { KEPT } from '../release/program-files.ts';
import type { HelperEnd } from './run-helper.ts';

/** Runs a short-lived child of the program in this file. */
export type AskProgram = (file: string, args: readonly string[]) => Promise<HelperEnd>;

/** What the acts on the database work with. */
export type DatabaseParts = {
  readonly database: string;
  /** The folder of this update below `data/backups/auto_update`. */
  readonly folder: string;
  readonly files: Files;
  readonly bulk: BulkFiles;
  readonly ask: AskProgram;
  /** Ends what is left of our own workers and says who else has the database open. */
  readonly clearOpeners: () => readonly string[];
};

/**
 * Copies the database while nobody writes to it: by the program that runs, else by the one that is staged, else file by
 * file. Fails with UPDATE_BACKUP_FAILED.
 */
export async function backUp(
  parts: DatabaseParts,
  programs: readonly string[],
): Promise<Outcome<DatabaseBackup>> {
  const { folder, files, database } = parts;
  makeDirectoryDurably(folder, 0o700, files);
  const file = `${folder}/${KEPT.database}`;
  for (const leftover of [file, `${file}-wal`, `${file}.partial`]) files.unlink(leftover);
  let detail = 'No program could be asked.';
  for (const program of programs) {
    const end = await parts.ask(program, ['db-backup', file]);
    const answer = end.ok ? parseBackupAnswer(end.value) : undefined;
    if (answer) {
      const backup = { ...answer, file: answer.kind === 'none' ? null : file };
      keepFacts(parts, backup);
      return succeed(backup);
    }
    detail = end.ok ? 'The answer of db-backup cannot be read.' : end.detail;
  }
  const openers = parts.clearOpeners();
  if (openers.length > 0) {
    return fail('UPDATE_BACKUP_FAILED', `${detail} The database is open in ${openers.join(', ')}.`);
  }
  const raw = await backUpRaw({ database, to: file, files, bulk: parts.bulk });
  if (!raw.ok) return fail('UPDATE_BACKUP_FAILED', `${detail} ${raw.failure.detail}`);
  keepFacts(parts, raw.value);
  return raw;
}

/** For going back to this program later on, on purpose. */
function keepFacts({ folder, files }: DatabaseParts, backup: DatabaseBackup): void {
  writeFileDurably(`${folder}/${KEPT.backup}`, JSON.stringify(backup), 0o600, files);
}

/** What a program makes of the database as it is. */
type Inspection = {
  readonly isFit: boolean;
  /** It said so; else it cannot be asked. */
  readonly isAnswered: boolean;
  readonly detail: string;
};

/** Asks a program what it makes of the database as it is. */
export async function inspect(
  { ask }: Pick<DatabaseParts, 'ask'>,
  program: string,
): Promise<Inspection> {
  const end = await ask(program, ['db-inspect']);
  const answer = end.ok ? parseInspectAnswer(end.value) : undefined;
  if (!answer) {
    const detail = end.ok ? 'Its answer cannot be read.' : end.detail;
    return { isFit: false, isAnswered: false, detail };
  }
  return { isFit: answer.compatible && answer.sound, isAnswered: true, detail: answer.detail };
}

/**
 * Sees to it that the old program, which is back in its place, has a database that it can run on: the one that is
 * there wherever it can, for nothing written meanwhile is lost then, else its own backup. A restoration that was cut off
 * is done again from its beginning: what lies there may be half of it.
 * @returns whether the backup was put back. Fails with UPDATE_RESTORE_FAILED.
 */
export async function settleDatabase(
  parts: DatabaseParts,
  record: UpdateRecord,
  program: string,
): Promise<Outcome<boolean>> {
  const { backup, wanted } = record.database;
  // Where another database was put in its place for the new program, the one from before belongs back.
  const isBegun =
    wanted !== null || isRestorationBegun({ ...parts, keepIn: keepIn(parts, 'failed') });
  if (!isBegun && (await inspect(parts, program)).isFit) return succeed(false);
  if (!backup) return fail('UPDATE_RESTORE_FAILED', 'There is no backup.');
  const restored = await putBack(parts, backup, program, 'failed');
  return restored.ok ? succeed(true) : restored;
}

/** Puts a backup in the place of the database, and has the program look at it. */
export async function putBack(
  parts: DatabaseParts,
  backup: DatabaseBackup,
  program: string,
  kept: KeptAs,
): Promise<Outcome<void>> {
  const { database, files, bulk } = parts;
  const openers = parts.clearOpeners();
  if (openers.length > 0) {
    return fail('UPDATE_RESTORE_FAILED', `The database is open in ${openers.join(', ')}.`);
  }
  makeDirectoryDurably(keepIn(parts, kept), 0o700, files);
  const order = { database, backup, keepIn: keepIn(parts, kept), files, bulk };
  const restored = await restoreDatabase(order);
  if (!restored.ok) return restored;
  const { isFit, isAnswered, detail } = await inspect(parts, program);
  // A program that cannot be asked may still be one that runs: its worker shows.
  return isFit || !isAnswered ? succeed(undefined) : fail('UPDATE_RESTORE_FAILED', detail);
}

/** What lay in the place of the database: left by a version that failed, or given up for one gone back to on purpose. */
type KeptAs = 'failed' | 'given-up';

/** Where that is kept: a folder for each restoration, for what lies there tells how far it has come. */
function keepIn({ folder }: DatabaseParts, kept: KeptAs): string {
  return `${folder}/${kept}`;
}
