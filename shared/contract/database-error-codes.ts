import type { ErrorMeaning } from './error-meaning.ts';

/** What can be wrong with the database; part of the closed list in `error-codes.ts`. */
export const DATABASE_ERRORS = {
  DATABASE_UNAVAILABLE: {
    status: 503,
    sentence: 'The database cannot be used.',
    hint: 'Check that data/ in the state directory is writable and not full, or set PODUP_DB_URL.',
  },
  DATABASE_SCHEMA_NEWER: {
    status: 503,
    sentence: 'The database was changed by a newer version that forbids older ones.',
    hint: 'Run the newer version, or restore the backup that it made.',
  },
  DATABASE_MISSING: {
    status: 503,
    sentence: 'The file of the database, or its log, was deleted or replaced while it was in use.',
    hint: 'What it held is written to its path again as soon as that is possible; the detail says what is in the way.',
  },
  DATABASE_DAMAGED: {
    status: 503,
    sentence:
      'The database is damaged, so it is left alone; webhooks are accepted and kept meanwhile.',
    hint: 'Put the newest good backup in its place: pod-upgrade-trigger backup list, then backup restore NAME. The service takes it without a restart.',
  },
  REVOCATIONS_UNREADABLE: {
    status: 503,
    sentence:
      'What was revoked cannot be read, so the database is not used; webhooks are accepted and kept meanwhile.',
    hint: 'The detail names the file and what the system said. Make it readable for this user; no restart is needed.',
  },
  DATABASE_READ_ONLY: {
    status: 503,
    sentence: 'The database can be read but not written; webhooks are accepted and kept meanwhile.',
    hint: 'Make the file and its folder writable for this user, or mount the file system read-write; no restart is needed.',
  },
  DATABASE_DISK_FULL: {
    status: 503,
    sentence: 'The disk of the database is full, so nothing can be written into it.',
    hint: 'Free space in the state directory (pod-upgrade-trigger prune-state removes what is old); no restart is needed.',
  },
} as const satisfies Record<string, ErrorMeaning>;
