import { ERRORS, type ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Failure } from '../../shared/contract/outcome.ts';

/** A failure with what it means. */
export type FailureView = {
  readonly code: ErrorCode;
  readonly sentence: string;
  readonly detail: string;
  readonly hint: string;
};

/** RFC 9457 problem details; `code`, `hint` and `request_id` are ours. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly request_id: string;
};

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
