import * as z from 'zod';
import { MAINTENANCE_ACTIONS } from '../domain/maintenance.ts';
import { TASK_KINDS, TASK_STATUSES } from '../domain/task.ts';

const limit = z.coerce.number().int().min(1).max(500).default(50);
const word = z.string().min(1).max(200);
const moment = z.iso.datetime({ offset: true });

/** One or several words of a closed list: separated by commas, or the name given several times. */
function someOf<T extends string>(allowed: readonly T[]) {
  return z.union([z.string(), z.array(z.string())]).transform((given, context): readonly T[] => {
    const words = [given].flat().flatMap((text) => text.split(','));
    const unknown = words.find((text) => !allowed.some((one) => one === text));
    if (unknown !== undefined) {
      const message = `${unknown.slice(0, 50)} is none of ${allowed.join(', ')}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    return allowed.filter((one) => words.includes(one));
  });
}

const filters = {
  unit: word.optional(),
  unit_query: word.optional(),
  q: word.optional(),
  batch: z
    .string()
    .regex(/^bat_[0-9a-z]{19}$/)
    .optional(),
  retry_of: z
    .string()
    .regex(/^tsk_[0-9a-z]{19}$/)
    .optional(),
  from: moment.optional(),
  to: moment.optional(),
};

/** Query of `GET /api/tasks`; `cursor` is `next_cursor` of the page before. */
export const tasksQuery = z.strictObject({
  ...filters,
  limit,
  status: someOf(TASK_STATUSES).optional(),
  kind: someOf(TASK_KINDS).optional(),
  cursor: z
    .string()
    .regex(/^\d{1,16}\.tsk_[0-9a-z]{19}$/)
    .optional(),
});

/** Query of `GET /api/tasks/counts`. */
export const taskCountsQuery = z.strictObject(filters);

/** Parameters of the routes of one task; what is no id of a task is not found. */
export const taskParams = z.strictObject({ id: z.string().describe('`task_id` of a task.') });

/** Query of `GET /api/tasks/ID/logs`; `after` is `logs_next` of the answer before. */
export const taskLogsQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(500),
});

/** Query of `GET /api/tasks/ID/export`. */
export const taskExportQuery = z.strictObject({ format: z.enum(['json', 'text']).default('json') });

/** A version is one of a unit, so there is one of it then. */
const deployBody = z
  .strictObject({
    kind: z.literal('deploy'),
    units: z.array(z.string().min(1).max(255)).min(1).max(500),
    version: z.string().min(1).max(512).optional(),
    reason: z.string().min(1).max(500).optional(),
  })
  .refine(({ units, version }) => version === undefined || units.length === 1, {
    path: ['version'],
    message: 'a version is of one unit, and several are named',
  });

/** Body of `POST /api/tasks`: what is to be done, of what can be. */
export const newTasksBody = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.enum(MAINTENANCE_ACTIONS),
    reason: z.string().min(1).max(500).optional(),
  }),
  deployBody,
]);

/** Body of `POST /api/tasks/ID/retry`. */
export const retryBody = z.strictObject({ reason: z.string().min(1).max(500).optional() });
