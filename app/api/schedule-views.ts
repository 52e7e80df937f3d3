import * as z from 'zod';
import { SCHEDULED_JOBS } from '../domain/schedule.ts';
import { TASK_STATUSES } from '../domain/task.ts';
import { type Answer, errorCode, moment } from './answer.ts';

const words = z.string().nullable();
const job = z.enum(SCHEDULED_JOBS);

/** A job that begins by itself. Times are ISO 8601 in UTC; what is not known (yet) is null. */
const scheduledJobView = z
  .strictObject({
    name: job,
    about: z.string(),
    cron: z.string().describe('A cron expression in the time zone of the schedule, or `off`.'),
    variable: z.string().describe('The setting that says so.'),
    delay_ms: z.int().min(0).describe('How long after its due time it begins on this host.'),
    next_run_at: moment.nullable().describe('Null where it is off; now where it is due.'),
    last_due_at: moment
      .nullable()
      .describe('The due time that was served last, whoever served it.'),
    last_run: z
      .strictObject({
        at: moment,
        by: z.string(),
        task_id: words.describe('Null where it is no task, or had nothing to do.'),
        status: z.enum(TASK_STATUSES),
        summary: z.string(),
        error_code: errorCode.nullable(),
        ended_at: moment.nullable(),
      })
      .nullable()
      .describe('The last run, by the clock or a person; null where it never ran.'),
  })
  .meta({ id: 'ScheduledJob' });
/** A job that begins by itself. */
export type ScheduledJobView = Answer<typeof scheduledJobView>;

/** Answer of `GET /api/schedule`. */
export const scheduleView = z
  .strictObject({
    now: moment,
    time_zone: z.string().describe('The one in which the expressions are read.'),
    jobs: z.array(scheduledJobView),
  })
  .meta({ id: 'Schedule' });
/** Answer of `GET /api/schedule`. */
export type ScheduleView = Answer<typeof scheduleView>;

/** Answer of `POST /api/schedule/JOB/run`: its task, or the update that was asked for. */
export const scheduleRunView = z
  .strictObject({ job, task_id: words, txn: words })
  .meta({ id: 'ScheduleRun' });
/** Answer of `POST /api/schedule/JOB/run`. */
export type ScheduleRunView = Answer<typeof scheduleRunView>;
