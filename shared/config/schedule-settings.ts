import type { Setting } from './setting.ts';
import { parsed, parseSchedule, SCHEDULE_ALLOWED, within } from './setting-values.ts';

/** When jobs of the schedule come; each has an expression of its own. */
export const SCHEDULE_SETTINGS = {
  autoUpdateCron: schedule(
    'PODUP_AUTO_UPDATE_CRON',
    '*/15 * * * *',
    'When units with AutoUpdate=registry are brought to what their tags mean. Where there is none it does nothing.',
  ),
  updateCheckCron: schedule(
    'PODUP_UPDATE_CHECK_CRON',
    '41 * * * *',
    'When updates of all units are looked for; nothing is deployed.',
  ),
  missedDeliveriesCron: schedule(
    'PODUP_MISSED_DELIVERIES_CRON',
    '29 * * * *',
    'When pushes are looked for that no delivery has told of; off: not after a start either.',
  ),
  reconcileCron: schedule(
    'PODUP_RECONCILE_CRON',
    '7 * * * *',
    'When it is looked whether the units still run what was deployed.',
  ),
  schedulerIntervalS: {
    variable: 'PODUP_SCHEDULER_INTERVAL_SECS',
    schema: within(1, 31_536_000),
    fallback: '900',
    allowed: 'seconds, 1 to 31536000',
    about: 'How often the separate process `scheduler` has the units updated.',
  },
  schedulerMinIntervalS: {
    variable: 'PODUP_SCHEDULER_MIN_INTERVAL_SECS',
    schema: within(1, 31_536_000),
    fallback: '60',
    allowed: 'seconds, 1 to 31536000',
    about: 'The least that it waits, whatever its interval is said to be.',
  },
  schedulerMaxTicks: {
    variable: 'PODUP_SCHEDULER_MAX_TICKS',
    schema: within(1, 1_000_000_000),
    allowed: 'a number, 1 to 1000000000',
    about: 'After how many times it ends. Unset: never.',
  },
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

function schedule(
  variable: `PODUP_${string}`,
  fallback: string,
  about: string,
): Setting<string> & { readonly fallback: string } {
  const schema = parsed(parseSchedule);
  return { variable, schema, fallback, allowed: SCHEDULE_ALLOWED, about };
}
