import type * as z from 'zod';
import { fail, formatFailure } from '../../../shared/contract/outcome.ts';
import { describeQueryFault } from '../../api/queries.ts';

/** The options by which events are chosen, as they were given. */
export type FilterOptions = {
  readonly action?: string;
  readonly status?: string;
  readonly method?: string;
  readonly request?: string;
  readonly task?: string;
  readonly actor?: string;
  readonly path?: string;
  readonly from?: string;
  readonly to?: string;
};

/** Reads options like the query of the API; undefined where one is wrong, which has been said. */
export function readOptions<T extends z.ZodType>(
  schema: T,
  { request, task, ...rest }: FilterOptions & Readonly<Record<string, unknown>>,
): z.output<T> | undefined {
  const parsed = schema.safeParse({
    ...rest,
    ...(request !== undefined && { request_id: request }),
    ...(task !== undefined && { task_id: task }),
  });
  if (parsed.success) return parsed.data;
  const { failure } = fail('REQUEST_INVALID', describeQueryFault(parsed.error));
  process.stderr.write(`${formatFailure(failure)}\n`);
  return undefined;
}
