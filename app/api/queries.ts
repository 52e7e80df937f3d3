import * as z from 'zod';

const limit = z.coerce.number().int().min(1).max(500).default(50);
const word = z.string().min(1).max(200);

/** Query of `GET /api/events`; `cursor` is `next_cursor` of the page before. */
export const eventsQuery = z.strictObject({
  limit,
  action: word.optional(),
  request_id: word.optional(),
  cursor: z.coerce.number().int().min(1).optional(),
});

/** The first fault of a query in words: field and what is wrong with it. */
export function describeQueryFault(error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return 'The query is not valid.';
  const path = issue.path.join('.');
  return path === '' ? `${issue.message}.` : `${path}: ${issue.message}.`;
}
