import { parseTimeSpan } from '../contract/time-span.ts';
import type { Setting } from './setting.ts';
import { parsed, parseSchedule, SCHEDULE_ALLOWED, within } from './setting-values.ts';

const DAY_MS = 86_400_000;
const MIN_MS = 1_000;

/** How the database is kept: what is removed when, and its backups. */
export const KEEPING_SETTINGS = {
  taskRetentionMs: {
    variable: 'PODUP_TASK_RETENTION',
    schema: parsed(parseKeeping),
    fallback: '400d',
    allowed: 'a time span such as 400d, 18M or 2y, 1s to 100y; a bare number counts seconds',
    about:
      'Tasks that are over and older are removed with their logs; the last ten of each unit stay.',
  },
  deliveryRetentionMs: {
    variable: 'PODUP_DELIVERY_RETENTION',
    schema: parsed(parseKeeping),
    fallback: '400d',
    allowed: 'a time span such as 400d, 18M or 2y, 1s to 100y',
    about: 'Deliveries that are older are removed.',
  },
  pruneCron: {
    variable: 'PODUP_PRUNE_CRON',
    schema: parsed(parseSchedule),
    fallback: '17 3 * * *',
    allowed: SCHEDULE_ALLOWED,
    about: 'When what is older than it is kept for is removed, and its room given back.',
  },
  backupCron: {
    variable: 'PODUP_BACKUP_CRON',
    schema: parsed(parseSchedule),
    fallback: '47 3 * * *',
    allowed: SCHEDULE_ALLOWED,
    about: 'When the database is backed up.',
  },
  backupKeep: {
    variable: 'PODUP_BACKUP_KEEP',
    schema: within(1, 1000),
    fallback: '7',
    allowed: 'a number, 1 to 1000',
    about: 'How many backups of the database are kept.',
  },
} as const satisfies Record<string, Setting<unknown>>;

function parseKeeping(raw: string): number | undefined {
  const span = parseTimeSpan(raw);
  return span !== undefined && span >= MIN_MS && span <= 36_525 * DAY_MS ? span : undefined;
}
