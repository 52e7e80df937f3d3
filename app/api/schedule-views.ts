import * as z from 'zod';
import { SCHEDULED_JOBS } from '../domain/schedule.ts';
import { TASK_STATUSES } from '../domain/task.ts';
import { type Answer, errorCode, moment } from './answer.ts';

const job = z.enum(SCHEDULED_JOBS);

const scheduledRunView = z
  .strictObject({
    at: moment,
    by: z.string().describe('Who had it done: `schedule`, or a person.'),
    task_id: z.string().nullable().describe('Null where it is no task, or had nothing to do.'),
    status: z.enum(TASK_STATUSES),
    summary: z.string(),
    error_code: errorCode.nullable(),
    ended_at: moment.nullable(),
  })
  .meta({ id: 'ScheduledRun' });

const scheduledJobView = z
  .strictObject({
    name: job,
    about: z.string(),
    cron: z.string().describe('In the time zone of the schedule; `off` where it never comes.'),
    variable: z.string().describe('The setting that says so.'),
    delay_ms: z.int().min(0).describe('How long after its due time it begins on this host.'),
    next_run_at: moment.nullable().describe('Now where it is due; null where it is off.'),
    last_due_at: moment.nullable().describe('The due time that was served last.'),
    last_run: scheduledRunView.nullable().describe('By the clock or a person; null: it never ran.'),
  })
  .meta({ id: 'ScheduledJob', description: 'A job that begins by itself.' });
/** A job that begins by itself. */
export type ScheduledJobView = Answer<typeof scheduledJobView>;

/** What begins by itself, and when. */
export const scheduleView = z
  .strictObject({
    now: moment,
    time_zone: z.string().describe('The one in which the expressions are read.'),
    jobs: z.array(scheduledJobView),
  })
  .meta({ id: 'Schedule' });
/** What begins by itself, and when. */
export type ScheduleView = Answer<typeof scheduleView>;

/** What a job was begun as. */
export const scheduleRunView = z
  .strictObject({
    job,
    task_id: z.string().nullable(),
    txn: z.string().nullable().describe('The update of the program that was asked for.'),
    due_at: moment.nullable().describe('The due time that it is for; null where it is for none.'),
    is_new: z.boolean().describe('It was begun now; false: by somebody else before.'),
    said: z.string().nullable().describe('Why there was nothing to do.'),
  })
  .meta({ id: 'ScheduleRun' });
/** What a job was begun as. */
export type ScheduleRunView = Answer<typeof scheduleRunView>;
