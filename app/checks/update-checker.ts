import type { Outcome } from '../../shared/contract/outcome.ts';
import {
  type CheckParts,
  type CheckRequest,
  type CheckSummary,
  checkUpdates,
} from './check-updates.ts';

/** Looks for updates, one check at a time. */
export type UpdateChecker = {
  /** One that does the same, or more, and has not begun yet is joined; a running one is waited for. */
  check(request: CheckRequest): Promise<Outcome<CheckSummary>>;
  /** Gives up what runs; those who wait are rejected. */
  close(): void;
};

type Waiting = {
  /** Undefined: all. */
  units: ReadonlySet<string> | undefined;
  isForced: boolean;
  readonly done: Promise<Outcome<CheckSummary>>;
};

/**
 * Makes the one that the whole process uses: of two checks at a time each tag would be asked for twice. At most one runs
 * and one waits, and who asks for more has the waiting one do it.
 */
export function createUpdateChecker(parts: Omit<CheckParts, 'signal'>): UpdateChecker {
  const closing = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Waiting | undefined;

  async function runAfter(before: Promise<unknown>, own: () => Waiting | undefined) {
    await before.catch(() => undefined);
    const request = own();
    waiting = undefined;
    closing.signal.throwIfAborted();
    const { units, isForced = false } = request ?? {};
    return checkUpdates(
      { ...parts, signal: closing.signal },
      { isForced, ...(units && { units: [...units] }) },
    );
  }

  return {
    check({ units, isForced }) {
      if (waiting) {
        const { units: others } = waiting;
        waiting.units = units && others ? new Set([...others, ...units]) : undefined;
        waiting.isForced ||= isForced;
        return waiting.done;
      }
      let one: Waiting | undefined;
      const done = runAfter(running, () => one);
      one = { units: units && new Set(units), isForced, done };
      waiting = one;
      running = done;
      return done;
    },
    close: () => closing.abort(new Error('the check was given up')),
  };
}
