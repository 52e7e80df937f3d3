import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Failure } from '../../shared/contract/outcome.ts';

/** The closed list of what health is told of. */
export const HEALTH_COMPONENTS = [
  'database',
  'disk',
  'podman',
  'user-manager',
  'linger',
  'clock',
  'registry',
  'supervisor',
] as const;

/** A part of the host or of ourselves. */
export type HealthComponent = (typeof HEALTH_COMPONENTS)[number];

/** An error keeps this program from its work; a warning will, or may. */
export const SEVERITIES = ['error', 'warning'] as const;

/** How bad it is. */
export type Severity = (typeof SEVERITIES)[number];

/** One part, as it was found. Times are milliseconds since the epoch. */
export type HealthState = {
  readonly component: HealthComponent;
  readonly failure: Failure | undefined;
  /** Since when it is ill in this way; null while it is well. */
  readonly since: number | null;
  /** Null: not looked at yet. */
  readonly checkedAt: number | null;
};

/** What does not keep anything from being done now. */
const WARNINGS: ReadonlySet<ErrorCode> = new Set([
  'LINGER_OFF',
  'CLOCK_UNSYNCHRONISED',
  'CLOCK_JUMPED',
  'CLOCK_BEHIND_DATABASE',
  'SUPERVISOR_ABSENT',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_TIMEOUT',
  'REGISTRY_UNAUTHORIZED',
  'REGISTRY_IMAGE_NOT_FOUND',
  'REGISTRY_RATE_LIMITED',
  'REGISTRY_RESPONSE_INVALID',
  'REGISTRY_CREDENTIALS_UNREADABLE',
  'REGISTRY_BLOCKED',
  'PODMAN_TOO_OLD',
  'INIT_MISSING',
  'WEBHOOK_SECRET_NOT_CONFIGURED',
  'ADMIN_TOKEN_NOT_CONFIGURED',
]);

/** How bad a failure is for the health of the whole. */
export function severityOf(code: ErrorCode): Severity {
  return WARNINGS.has(code) ? 'warning' : 'error';
}

/** What follows for one part from a look at it: an illness goes on as long as it has the same code. */
export function nextHealth(
  before: HealthState,
  failure: Failure | undefined,
  nowMs: number,
): HealthState {
  const isSame = failure !== undefined && before.failure?.code === failure.code;
  const since = failure === undefined ? null : isSame ? (before.since ?? nowMs) : nowMs;
  return { component: before.component, failure, since, checkedAt: nowMs };
}

/** Before the first look. */
export function unknownHealth(component: HealthComponent): HealthState {
  return { component, failure: undefined, since: null, checkedAt: null };
}

/** A set clock, and for how long it is worth a word. */
export type ClockJump = { readonly at: number; readonly byMs: number };

const JUMP_MS = 5_000;
const JUMP_TOLD_MS = 3_600_000;
const AHEAD_MS = 60_000;

/** Between two looks the wall clock and one that nobody sets have gone on by different times; undefined: not noticeably. */
export function findJump(wallMs: number, steadyMs: number, at: number): ClockJump | undefined {
  const byMs = Math.round(wallMs - steadyMs);
  return Math.abs(byMs) > JUMP_MS ? { at, byMs } : undefined;
}

/** What is known of the clock, and what is wrong with it: the worst first. */
export function judgeClock(facts: {
  readonly nowMs: number;
  /** Of the newest row of the database; null where there is none. */
  readonly newestMs: number | null;
  readonly jump: ClockJump | undefined;
  /** Undefined: nobody says. */
  readonly isSynchronised: boolean | undefined;
}): Failure | undefined {
  const { nowMs, newestMs, jump, isSynchronised } = facts;
  if (newestMs !== null && newestMs > nowMs + AHEAD_MS) {
    const bySeconds = Math.round((newestMs - nowMs) / 1000);
    return { code: 'CLOCK_BEHIND_DATABASE', detail: `By ${bySeconds} seconds.` };
  }
  // After a clock that was set back the jump lies in the future.
  if (jump && Math.abs(nowMs - jump.at) < JUMP_TOLD_MS) {
    const way = jump.byMs < 0 ? 'back' : 'forward';
    return { code: 'CLOCK_JUMPED', detail: `By ${Math.abs(jump.byMs)} ms ${way}.` };
  }
  return isSynchronised === false ? { code: 'CLOCK_UNSYNCHRONISED', detail: '' } : undefined;
}
