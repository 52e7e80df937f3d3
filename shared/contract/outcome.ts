import { ERRORS, type ErrorCode } from './error-codes.ts';

/** A failure that was to be expected: a code of the closed list and what was seen, free of secrets. */
export type Failure = {
  readonly code: ErrorCode;
  readonly detail: string;
  /** How long whoever refused asks to be left alone, in milliseconds; absent where nobody said. */
  readonly retryAfterMs?: number;
};

/** What an act came to. Expected failures are values; only bugs are thrown. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

/** An outcome that went well. */
export function succeed<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

/** An outcome that did not; `detail` says what was seen, in words for a person. */
export function fail(code: ErrorCode, detail: string): { ok: false; failure: Failure } {
  return { ok: false, failure: { code, detail } };
}

/** The failure as one line: sentence, what was seen, hint. */
export function formatFailure(failure: Failure): string {
  const { sentence, hint } = ERRORS[failure.code];
  return `${failure.code}: ${sentence} ${failure.detail} ${hint}`.replaceAll(/\s+/g, ' ').trim();
}

/** A failure on its way up through code that cannot return it (a framework's hook, a constructor). */
export class FailureError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, options?: { cause?: unknown }) {
    super(formatFailure(failure), options);
    this.name = 'FailureError';
    this.failure = failure;
  }
}
