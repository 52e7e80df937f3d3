import fc from 'fast-check';
import type { Event } from '../../../supervisor/core/event.ts';
import { FIXED_POLICY, type Policy } from '../../../supervisor/core/restart-policy.ts';

/** The policy of the tests: the defaults of the settings. */
export const POLICY: Policy = {
  ...FIXED_POLICY,
  backoffInitialMs: 500,
  backoffMaxMs: 60_000,
  stopTimeoutMs: 30_000,
  trialStartTimeoutMs: 60_000,
};

/** Any event, with the codes that mean something among many that do not. */
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.constant<Event>({ kind: 'start' }),
  fc.nat().map((pid): Event => ({ kind: 'worker-spawned', pid })),
  fc.constant<Event>({ kind: 'spawn-failed', reason: 'ENOENT' }),
  fc.constant<Event>({
    kind: 'worker-ready',
    readiness: { version: '1.0.0', schema: 1, digest: null },
  }),
  fc.constant<Event>({ kind: 'worker-starting' }),
  fc
    .tuple(fc.oneof(fc.constantFrom(0, 1, 10, 75, 78), fc.nat(255)), fc.boolean())
    .map(([code, adopted]): Event => ({ kind: 'worker-exited', code, signal: null, adopted })),
  fc.constant<Event>({ kind: 'worker-exited', code: null, signal: 'SIGKILL', adopted: false }),
  fc
    .constantFrom('start-deadline' as const, 'backoff' as const, 'stop-deadline' as const)
    .map((timer): Event => ({ kind: 'timer-fired', timer })),
  fc
    .constantFrom('SIGTERM' as const, 'SIGINT' as const)
    .map((signal): Event => ({ kind: 'stop-requested', signal })),
  fc.constant<Event>({ kind: 'reload-requested' }),
  fc.constant<Event>({ kind: 'suspend' }),
  fc.boolean().map((trial): Event => ({ kind: 'resume', trial })),
  fc.constant<Event>({ kind: 'end-trial' }),
);

/** What happens next in a walk: an event, after a pause, with a random number in [0, 1). */
export type Happening = {
  readonly event: Event;
  readonly afterMs: number;
  readonly random: number;
};

/** A walk through the machine: whatever may happen, in any order, possible or not. */
export const anyWalk: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.record({
    event: anyEvent,
    afterMs: fc.oneof(fc.constantFrom(0, 1), fc.nat(400_000)),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  }),
  { maxLength: 60 },
);
