import * as z from 'zod';
import { ERRORS, type ErrorCode } from '../../shared/contract/error-codes.ts';

/** What a schema of an answer describes, as whoever makes or reads one has it: not to be changed. */
export type Answer<S extends z.ZodType> = Unchanging<z.output<S>>;

type Unchanging<T> = T extends readonly (infer E)[]
  ? readonly Unchanging<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Unchanging<T[K]> }
    : T;

/** A moment: ISO 8601 in UTC. */
export const moment = z.iso.datetime();

/** One of the closed list of error codes. */
export const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).meta({
  id: 'ErrorCode',
  description: 'One of a closed list; docs/errors.md says what each means and what to do.',
});

/** A failure with what it means. */
export const failureView = z
  .strictObject({
    code: errorCode,
    sentence: z.string(),
    detail: z.string().describe('What was seen; may be empty.'),
    hint: z.string().describe('What can be done about it.'),
  })
  .meta({ id: 'Failure', description: 'A failure with what it means.' });

/** A failure with what it means. */
export type FailureView = Answer<typeof failureView>;

/** What names one page of a list: `next_cursor` is null on the last one. */
export function pageOf<K extends string, T extends z.ZodType>(key: K, item: T, id: string) {
  const items = { [key]: z.array(item) } as { [P in K]: z.ZodArray<T> };
  const next_cursor = z.string().nullable().describe('The next page is asked for with it.');
  return z.strictObject({ ...items, next_cursor }).meta({ id });
}
