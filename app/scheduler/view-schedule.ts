import type { Settings } from '../../shared/config/settings.ts';
import type { ScheduledJobView, ScheduleView } from '../api/schedule-views.ts';
import type { ScheduleView as SelfUpdateScheduleView } from '../api/self-update-views.ts';
import type { Store } from '../db/store.ts';
import { delayOf, findNextRun, type Timing } from '../domain/schedule.ts';
import { type PlannedJob, planJobs, type ScheduleSettings, timeZoneOf } from './schedule-jobs.ts';
import { actionOf } from './scheduled-tasks.ts';
import { lastDueOf } from './take-tick.ts';

type Tables = Pick<Store, 'schedule' | 'madeAt' | 'tasks'>;

/** What comes when, and what came of it the last time. */
export function viewSchedule(
  store: Tables,
  settings: ScheduleSettings,
  nowMs: number,
): ScheduleView {
  return {
    now: toIso(nowMs),
    time_zone: timeZoneOf(settings),
    jobs: planJobs(settings).map((job) => viewJob(store, job, nowMs)),
  };
}

/** The same of the self-update alone; undefined where it is off. */
export function viewSelfUpdateJob(
  store: Tables,
  settings: ScheduleSettings & Pick<Settings, 'selfUpdateDryRun'>,
  nowMs: number,
): SelfUpdateScheduleView | undefined {
  const job = planJobs(settings).find(({ name, timed }) => name === 'self-update' && timed);
  if (!job) return undefined;
  const { cron, next_run_at } = viewJob(store, job, nowMs);
  return { cron, dry_run: settings.selfUpdateDryRun, next_run_at };
}

function viewJob(store: Tables, job: PlannedJob, nowMs: number): ScheduledJobView {
  const { name, about, cron, variable, timed } = job;
  const row = store.schedule.find(name);
  const next = timed && findNextRun(timed.timing, lastDueOf(store, name), nowMs);
  return {
    name,
    about,
    cron,
    variable,
    delay_ms: timed && next !== undefined ? delayBehind(timed.timing, next) : 0,
    next_run_at: next === undefined ? null : toIso(next),
    last_due_at: row ? toIso(row.due_at) : null,
    last_run: viewLastRun(store, name),
  };
}

/** Of the run that begins at `at`. */
function delayBehind(timing: Timing, at: number): number {
  return delayOf(timing, timing.times.latest(at) ?? at);
}

function viewLastRun(store: Tables, name: PlannedJob['name']): ScheduledJobView['last_run'] {
  const row = store.schedule.find(name);
  const action = actionOf(name);
  const task = action && store.tasks.findMaintenance(action);
  // A person may have had it done since.
  if (task && (!row || row.task_id !== null || task.created_at > row.claimed_at)) {
    return {
      at: toIso(task.created_at),
      by: task.trigger_caller ?? 'schedule',
      task_id: task.id,
      status: task.status,
      summary: task.summary,
      error_code: task.error_code,
      ended_at: task.finished_at === null ? null : toIso(task.finished_at),
    };
  }
  if (!row) return null;
  return {
    at: toIso(row.claimed_at),
    by: 'schedule',
    task_id: null,
    status: toStatus(row),
    summary: row.result ?? '',
    error_code: row.error_code,
    ended_at: row.ended_at === null ? null : toIso(row.ended_at),
  };
}

function toStatus(row: { readonly ended_at: number | null; readonly error_code: string | null }) {
  if (row.ended_at === null) return 'running';
  return row.error_code === null ? 'succeeded' : 'failed';
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
