import * as z from 'zod';
import { ERRORS, type ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Failure } from '../../shared/contract/outcome.ts';
import { type Answer, errorCode, type FailureView } from './answer.ts';

/** RFC 9457 problem details; `code`, `hint` and `request_id` are ours. */
export const problemView = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.exactOptional(z.string()).describe('What was seen, where there is more to say.'),
    code: errorCode,
    hint: z.string().describe('What can be done about it.'),
    request_id: z.string(),
  })
  .meta({ id: 'Problem', description: 'A refusal or a failure (RFC 9457).' });
/** RFC 9457 problem details. */
export type Problem = Answer<typeof problemView>;

/** The media type of a problem (RFC 9457 §3). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The body that answers a refused or failed request. */
export function toProblem(code: ErrorCode, detail: string, requestId: string): Problem {
  const { status, sentence, hint } = ERRORS[code];
  return {
    type: `urn:pod-upgrade-trigger:error:${code}`,
    title: sentence,
    status,
    ...(detail !== '' && { detail }),
    code,
    hint,
    request_id: requestId,
  };
}

/** A failure with what its code means. */
export function viewFailure({ code, detail }: Failure): FailureView {
  const { sentence, hint } = ERRORS[code];
  return { code, sentence, detail, hint };
}
