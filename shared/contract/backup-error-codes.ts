import type { ErrorMeaning } from './error-meaning.ts';

/** Of keeping the database: its backups, and removing what is old. */
export const BACKUP_ERRORS = {
  MAINTENANCE_FAILED: {
    status: 500,
    sentence: 'The state of the program could not be put in order.',
    hint: 'The detail says why; it is tried again at its next time.',
  },
  BACKUP_FAILED: {
    status: 500,
    sentence: 'The database could not be backed up.',
    hint: 'The detail says why; the backups that were there are untouched.',
  },
  BACKUP_DISK_FULL: {
    status: 507,
    sentence: 'There is not enough room for a backup of the database.',
    hint: 'The detail says where and how much is needed; PODUP_BACKUP_KEEP says how many backups stay.',
  },
  BACKUP_NOT_FOUND: {
    status: 404,
    sentence: 'There is no such backup.',
    hint: 'See those that are there: backup list.',
  },
  BACKUP_DAMAGED: {
    status: 409,
    sentence: 'The backup is not what was written.',
    hint: 'Take another one; nothing was restored.',
  },
  BACKUP_RESTORE_FAILED: {
    status: 500,
    sentence: 'The backup could not be put in the place of the database.',
    hint: 'The detail says why; start it again. The database that was there is kept.',
  },
} as const satisfies Record<string, ErrorMeaning>;
