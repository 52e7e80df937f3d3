import type { Setting } from './setting.ts';
import { parseCron, parsed, within } from './setting-values.ts';

/** How the database is kept: its backups. */
export const KEEPING_SETTINGS = {
  backupCron: {
    variable: 'PODUP_BACKUP_CRON',
    schema: parsed((raw) => (raw.trim() === 'off' ? 'off' : parseCron(raw))),
    fallback: '47 3 * * *',
    allowed: 'a cron expression with five or six fields, or off',
    about: 'When the database is backed up, in the time zone of the host.',
  },
  backupKeep: {
    variable: 'PODUP_BACKUP_KEEP',
    schema: within(1, 1000),
    fallback: '7',
    allowed: 'a number, 1 to 1000',
    about: 'How many backups of the database are kept.',
  },
} as const satisfies Record<string, Setting<unknown>>;
