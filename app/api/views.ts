import * as z from 'zod';
import { TASK_KINDS, TASK_PHASES, TASK_STATUSES, TASK_WAITS } from '../domain/task.ts';
import { TASK_WORKS } from '../domain/task-input.ts';
import { type Answer, failureView, moment, pageOf } from './answer.ts';

const status = z.enum(TASK_STATUSES);
const phase = z.enum(TASK_PHASES);
const words = z.string().nullable();
const maybe = moment.nullable();
const count = z.int().min(0);

const taskUnitView = z
  .strictObject({
    unit: z.string(),
    status,
    phase,
    started_at: maybe,
    finished_at: maybe,
    duration_ms: count.nullable().describe('From its start to its end.'),
    message: z.string(),
    error: failureView.nullable(),
  })
  .meta({ id: 'TaskUnit', description: 'The unit of a task, and how far it has come.' });

/** The unit of a task, and how far it has come. */
export type TaskUnitView = Answer<typeof taskUnitView>;

const counts = Object.fromEntries(TASK_STATUSES.map((one) => [one, count])) as {
  [S in (typeof TASK_STATUSES)[number]]: typeof count;
};

const taskFields = {
  task_id: z.string(),
  kind: z.enum(TASK_KINDS),
  work: z
    .enum(TASK_WORKS)
    .nullable()
    .describe('What it does; null: it is only a record of what another program did.'),
  status,
  phase,
  unit: z.string(),
  image: words,
  summary: z.string(),
  created_at: moment,
  updated_at: moment,
  started_at: maybe,
  finished_at: maybe,
  attempts: count,
  trigger: z.strictObject({
    source: z.string(),
    request_id: words,
    path: words,
    caller: words,
    reason: words,
  }),
  digests: z
    .strictObject({ webhook: words, registry: words, pulled: words, running: words })
    .describe('What was pushed, what the registry says, what was pulled, what runs.'),
  running_image: words.describe(
    'The image that ran when the task ended; `none` where no container ran.',
  ),
  error: failureView.nullable(),
  batch_id: words.describe('What was asked for in one call has one.'),
  retry_of: words.describe('The task that this one does anew.'),
  stop: z
    .strictObject({
      requested_at: maybe,
      requested_by: words,
      forced_at: maybe,
      forced_by: words,
    })
    .nullable()
    .describe('Who wants it to end, or had it killed; null: nobody.'),
  waiting: z
    .strictObject({ until: moment, for: z.enum(TASK_WAITS) })
    .nullable()
    .describe(
      'Until when a pending task waits, and for what; null: it is begun as soon as may be.',
    ),
  units: z.array(taskUnitView),
  unit_counts: z
    .strictObject({ total: count, ...counts })
    .describe('Of all units of its batch; of its own where it has none.'),
  can_stop: z.boolean(),
  can_force_stop: z.boolean(),
  can_retry: z.boolean(),
};

/** A task in a list. Times are ISO 8601 in UTC; what is not known (yet) is null. */
export const taskView = z.strictObject(taskFields).meta({ id: 'Task' });
/** A task in a list. */
export type TaskView = Answer<typeof taskView>;

/** A page of `GET /api/tasks`. */
export const taskPageView = pageOf('tasks', taskView, 'TaskPage');

/** How many tasks a filter lets through. */
export const taskCountsView = z
  .strictObject({
    total: count,
    by_status: z.strictObject(counts),
    by_kind: z.strictObject(
      Object.fromEntries(TASK_KINDS.map((kind) => [kind, count])) as {
        [K in (typeof TASK_KINDS)[number]]: typeof count;
      },
    ),
    complete: z.boolean().describe('False where a search has looked at the newest tasks only.'),
  })
  .meta({ id: 'TaskCounts' });
/** How many tasks a filter lets through. */
export type TaskCountsView = Answer<typeof taskCountsView>;

/** An image that failed for a unit and is not deployed to it again. */
export const quarantinedImageView = z
  .strictObject({
    unit: z.string(),
    digest: z.string(),
    image: z.string(),
    error: failureView,
    count: count.describe('How often it has failed.'),
    first_at: moment,
    last_at: moment,
    timer_guard: words.describe(
      "The file that keeps podman's own timer off the unit; null where it does not update the unit anyway.",
    ),
    expires_at: maybe.describe('Null: until a person releases it.'),
  })
  .meta({ id: 'QuarantinedImage' });
/** An image that failed for a unit and is not deployed to it again. */
export type QuarantinedImageView = Answer<typeof quarantinedImageView>;

/** The quarantine as a whole. */
export const quarantineView = z
  .strictObject({ images: z.array(quarantinedImageView) })
  .meta({ id: 'Quarantine' });

/** How many images of a unit have left the quarantine. */
export const releasedView = z
  .strictObject({ unit: z.string(), released: count })
  .meta({ id: 'Released' });
/** How many images of a unit have left the quarantine. */
export type ReleasedView = Answer<typeof releasedView>;

/** One entry of the log of a task. */
export const taskLogView = z
  .strictObject({
    id: count,
    ts: moment,
    level: z.string(),
    action: z.string(),
    summary: z.string(),
    meta: z.unknown(),
  })
  .meta({ id: 'TaskLog' });
/** One entry of the log of a task. */
export type TaskLogView = Answer<typeof taskLogView>;

const deliveryView = z
  .strictObject({
    id: z.string(),
    received_at: moment,
    source: z.string(),
    delivery: z.string(),
    event: z.string(),
    matched: words,
    digest: words,
  })
  .meta({ id: 'Delivery', description: 'A delivery that led to a task.' });
/** A delivery that led to a task. */
export type DeliveryView = Answer<typeof deliveryView>;

const logFields = {
  logs: z.array(taskLogView).describe('Oldest first.'),
  logs_next: count.nullable().describe('`after` for the rest; null where there is no more.'),
};

/** A part of the log of a task, oldest first. */
export const taskLogsView = z.strictObject(logFields).meta({ id: 'TaskLogs' });
/** A part of the log of a task, oldest first. */
export type TaskLogsView = Answer<typeof taskLogsView>;

/** Numbers for the badges of an interface. */
export const badgesView = z
  .strictObject({
    pending: count,
    running: count,
    quarantined: count.describe('Images that are not deployed again.'),
  })
  .meta({ id: 'Badges' });
/** Numbers for the badges of an interface. */
export type BadgesView = Answer<typeof badgesView>;

/** Event of `GET /sse/events`: there are newer events than those that were seen. */
export const eventsMarkView = z.strictObject({ newest_id: count }).meta({ id: 'EventsMark' });

/** Event of `GET /sse/task-logs`: the task is over, or was removed after its time. */
export const taskLogEndView = z
  .strictObject({ status: z.enum([...TASK_STATUSES, 'gone']) })
  .meta({ id: 'TaskLogEnd' });

/** One task with everything that is recorded of it; of its log the beginning. */
export const taskDetailView = z
  .strictObject({
    ...taskFields,
    ...logFields,
    retried_as: z.array(z.string()).describe('The tasks that do it anew.'),
    warning_count: count,
    deliveries: z.array(deliveryView),
  })
  .meta({ id: 'TaskDetail' });
/** One task with everything that is recorded of it; of its log the beginning. */
export type TaskDetailView = Answer<typeof taskDetailView>;

/** Something that happened. */
export const eventView = z
  .strictObject({
    id: count,
    request_id: z.string(),
    ts: moment,
    method: z.string(),
    path: z.string(),
    status: count,
    action: z.string(),
    code: words,
    actor: words,
    remote_address: words,
    duration_ms: z.number().min(0),
    task_id: words.describe('The task that was made or touched.'),
    meta: z.unknown(),
  })
  .meta({ id: 'Event' });
/** Something that happened. */
export type EventView = Answer<typeof eventView>;

/**
 * A page of events, newest first. One page looks at a bounded number of rows: it may hold fewer than were asked for,
 * even none, and yet not be the last one.
 */
export const eventPageView = pageOf('events', eventView, 'EventPage')
  .extend({ looked_back_to: maybe.describe('How far was looked; null on the last page.') })
  .meta({ id: 'Events' });
/** A page of events, newest first. */
export type EventPageView = Answer<typeof eventPageView>;

/** A page of a list, newest first; `next_cursor` is null on the last page. */
export type Page<K extends string, T> = { readonly [P in K]: readonly T[] } & {
  readonly next_cursor: string | null;
};
