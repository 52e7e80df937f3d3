import type { Settings } from '../../shared/config/settings.ts';
import { SCHEDULED_JOBS, type ScheduledJob, shareOf } from '../domain/schedule.ts';
import { cronTimes, hostTimeZone } from './cron-times.ts';
import { hostName } from './host-name.ts';
import type { TimedJob } from './take-tick.ts';

/** What decides when jobs come. */
export type ScheduleSettings = Pick<
  Settings,
  | 'autoUpdateCron'
  | 'updateCheckCron'
  | 'missedDeliveriesCron'
  | 'reconcileCron'
  | 'pruneCron'
  | 'backupCron'
  | 'selfUpdateCron'
  | 'scheduleTimeZone'
  | 'scheduleSpreadMs'
>;

/** A job as it is set up; without a timing where it is off. */
export type PlannedJob = {
  readonly name: ScheduledJob;
  /** In a few words. */
  readonly about: string;
  /** A cron expression, or `off`. */
  readonly cron: string;
  /** The setting that says so. */
  readonly variable: string;
  readonly timed: TimedJob | undefined;
};

const ABOUT: Readonly<Record<ScheduledJob, string>> = {
  'auto-update': 'deploys what is new to units that ask for it',
  'check-updates': 'looks for updates of all units',
  'missed-deliveries': 'deploys what was pushed and told of by no delivery',
  reconcile: 'compares what runs with what was deployed, and looks for tasks that nobody works on',
  prune: 'removes what is older than it is kept for',
  backup: 'backs the database up',
  'self-update': 'installs a newer version of this program',
};

/** Jobs that ask other machines: not all hosts at once. */
const SPREAD: readonly ScheduledJob[] = [
  'auto-update',
  'check-updates',
  'missed-deliveries',
  'self-update',
];

/** The time zone in which the expressions are read. */
export function timeZoneOf({ scheduleTimeZone }: ScheduleSettings): string {
  return scheduleTimeZone ?? hostTimeZone();
}

/** All jobs, by the settings. */
export function planJobs(settings: ScheduleSettings): readonly PlannedJob[] {
  const zone = timeZoneOf(settings);
  const host = hostName();
  const crons: Readonly<Record<ScheduledJob, readonly [variable: string, cron: string]>> = {
    'auto-update': ['PODUP_AUTO_UPDATE_CRON', settings.autoUpdateCron],
    'check-updates': ['PODUP_UPDATE_CHECK_CRON', settings.updateCheckCron],
    'missed-deliveries': ['PODUP_MISSED_DELIVERIES_CRON', settings.missedDeliveriesCron],
    reconcile: ['PODUP_RECONCILE_CRON', settings.reconcileCron],
    prune: ['PODUP_PRUNE_CRON', settings.pruneCron],
    backup: ['PODUP_BACKUP_CRON', settings.backupCron],
    'self-update': ['PODUP_SELF_UPDATE_CRON', settings.selfUpdateCron ?? 'off'],
  };
  return SCHEDULED_JOBS.map((name) => {
    const [variable, cron] = crons[name];
    const spreadMs = SPREAD.includes(name) ? settings.scheduleSpreadMs : 0;
    const planned = { name, about: ABOUT[name], cron, variable };
    if (cron === 'off') return { ...planned, timed: undefined };
    const timing = { times: cronTimes(cron, zone), share: shareOf(host, name), spreadMs };
    return { ...planned, timed: { name, timing } };
  });
}
