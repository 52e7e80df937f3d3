import type { Setting } from './setting.ts';
import { parsed, within } from './setting-values.ts';

/** When jobs of the schedule come; each has an expression of its own. */
export const SCHEDULE_SETTINGS = {
  scheduleTimeZone: {
    variable: 'PODUP_SCHEDULE_TIME_ZONE',
    schema: parsed(parseTimeZone),
    allowed: 'a time zone such as Europe/Berlin or UTC',
    about: 'The time zone in which the cron expressions are read. Unset: that of the host.',
  },
  scheduleSpreadMs: {
    variable: 'PODUP_SCHEDULE_SPREAD_MS',
    schema: within(0, 3_600_000),
    fallback: '60000',
    allowed: 'milliseconds, 0 to 3600000',
    about:
      'Jobs that ask other machines begin up to this much later, on each host by another part of it, so that hosts do not come all at once. Never more than a tenth of the time between two runs.',
  },
} as const satisfies Record<string, Setting<unknown>>;

function parseTimeZone(raw: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: raw.trim() }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
