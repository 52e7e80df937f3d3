import * as z from 'zod';

const limit = z.coerce.number().int().min(1).max(500).default(50);
const word = z.string().min(1).max(200);

/** Query of `GET /sse/task-logs`. */
export const taskLogStreamQuery = z.strictObject({ task_id: word });
const time = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: 'expected a time such as 2030-01-31T12:00:00Z, or a date, which begins in UTC',
});

const eventFilter = {
  action: word.optional(),
  status: z
    .string()
    .regex(/^[1-5](?:\d\d|xx)$/, 'expected a status such as 404, or a class such as 4xx')
    .optional(),
  method: word.optional(),
  request_id: word.optional(),
  task_id: word.optional(),
  actor: word.optional(),
  path: z.string().min(1).max(300).optional(),
  from: time.optional(),
  to: time.optional(),
};

/** What both have in common. */
export type EventFilterQuery = z.output<z.ZodObject<typeof eventFilter>>;

/** Query of `GET /api/events`; `cursor` is `next_cursor` of the page before. */
export const eventsQuery = z.strictObject({
  ...eventFilter,
  limit,
  cursor: z.coerce.number().int().min(1).optional(),
});

/** A query that was read. */
export type EventsQuery = z.output<typeof eventsQuery>;

/** Query of `GET /api/events/export`. */
export const exportQuery = z.strictObject({ ...eventFilter, format: z.enum(['jsonl', 'csv']) });

/** Parameters of `DELETE /api/quarantine/UNIT/DIGEST`. */
export const quarantineParams = z.strictObject({ unit: word, digest: z.string().min(1).max(300) });

/** Parameters of `DELETE /api/quarantine/UNIT`. */
export const quarantineUnitParams = z.strictObject({ unit: word });

/** The first fault of a query in words: field and what is wrong with it. */
export function describeQueryFault(error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return 'The query is not valid.';
  const { path, message } = findNearest(issue);
  const field = path.join('.');
  return field === '' ? `${message}.` : `${field}: ${message}.`;
}

type Issue = Pick<z.core.$ZodIssue, 'path' | 'message'>;

/** Of several shapes the one is meant from which the least differs, unless the schema has words of its own. */
function findNearest(issue: z.core.$ZodIssue): Issue {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return issue;
  const [nearest] = issue.errors
    .filter(([first]) => first !== undefined)
    .sort((one, other) => one.length - other.length);
  const [first] = nearest ?? [];
  if (!first) return issue;
  const inner = findNearest(first);
  return { path: [...issue.path, ...inner.path], message: inner.message };
}
