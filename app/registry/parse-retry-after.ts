const SECONDS = /^\d{1,9}$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * How long a Retry-After (RFC 9110 §10.2.3) asks to wait, in milliseconds from `nowMs` by the wall clock, never less
 * than 0. Undefined where it has neither of its two forms.
 */
export function parseRetryAfter(value: string, nowMs: number): number | undefined {
  if (SECONDS.test(value)) return Number(value) * 1_000;
  const atMs = HTTP_DATE.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(atMs - nowMs, 0);
}
