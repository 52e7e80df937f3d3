import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { realBulkFiles } from '../../shared/fs/bulk-files.ts';
import { realFiles } from '../../shared/fs/files.ts';
import { MIGRATIONS } from '../db/generated-migrations.ts';
import { inspectDatabase } from '../db/inspect-database.ts';
import type { Backup } from './backup-folder.ts';

/**
 * Whether a backup is what was written, sound, and fit for this program. Fails with BACKUP_DAMAGED, and with
 * DATABASE_SCHEMA_NEWER where only a newer program may run on it. Reads all of it.
 */
export async function verifyBackup(backup: Backup): Promise<Outcome<void>> {
  const { file, bytes, sha256 } = backup;
  const found = realFiles.facts(file)?.bytes;
  if (found !== bytes) {
    return fail('BACKUP_DAMAGED', `${file} has ${found ?? 'no'} bytes and not ${bytes}.`);
  }
  if ((await realBulkFiles.hash(file)) !== sha256) {
    return fail('BACKUP_DAMAGED', `${file} has another content than was written.`);
  }
  const { sound, compatible, detail, schema } = inspectDatabase(file, MIGRATIONS);
  if (!sound || schema !== backup.schema) return fail('BACKUP_DAMAGED', detail);
  if (!compatible) return fail('DATABASE_SCHEMA_NEWER', detail);
  return succeed(undefined);
}
