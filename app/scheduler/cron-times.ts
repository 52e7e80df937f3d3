import { Cron } from 'croner';
import { CRON_MODE } from '../../shared/config/setting-values.ts';
import type { DueTimes } from '../domain/schedule.ts';

/** The time zone of the host, by its name. */
export function hostTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * The times of a cron expression in a time zone. Where clocks are put forward, what has one time of the day comes at the
 * first minute after the gap; where they are put back it comes once, and what comes again and again goes on doing so.
 */
export function cronTimes(expression: string, timeZone: string): DueTimes {
  const cron = new Cron(expression, { mode: CRON_MODE, paused: true, timezone: timeZone });
  return {
    // What lies before a moment is asked for, and the moment itself is meant as well.
    latest: (at) => cron.previousRuns(1, new Date(at + 1))[0]?.getTime(),
    next: (at) => cron.nextRun(new Date(at))?.getTime(),
  };
}
