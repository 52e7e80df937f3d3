import type { Logger } from 'pino';
import { formatFailure, type Outcome } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { Store } from '../db/store.ts';
import { refreshTimerGuards, releaseQuarantined } from './timer-guards.ts';

type Parts = { readonly store: Store; readonly run: RunCommand; readonly log: Logger };

/** See `createTimerGuards`. */
export type TimerGuards = {
  /** Looks at once, and again when a quarantine is over. */
  start(): void;
  /** Lets an image of a unit be deployed again, without a digest all of them; how many there were. */
  release(unit: string, digest?: string): Promise<number>;
  close(): void;
};

/** A clock that is set must not keep a guard beyond its time for long. */
const LOOK_AT_LEAST_EVERY_MS = 3_600_000;

/** The worker's part in keeping podman's own timer off: after a start, when a quarantine is over, and at a release. */
export function createTimerGuards({ store, run, log }: Parts): TimerGuards {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const tell = (kept: Outcome<void>) => {
    if (!kept.ok) log.warn({ code: kept.failure.code }, formatFailure(kept.failure));
  };

  async function look(): Promise<void> {
    tell(await refreshTimerGuards(store, run));
    if (isClosed) return;
    const ends = store.quarantine
      .listGuards(Date.now())
      .flatMap(({ guard, expires_at }) => (guard === null ? [] : (expires_at ?? [])));
    if (ends.length === 0) return;
    const inMs = Math.max(Math.min(...ends) - Date.now(), 1_000);
    timer = setTimeout(start, Math.min(inMs, LOOK_AT_LEAST_EVERY_MS));
    timer.unref();
  }

  function start(): void {
    clearTimeout(timer);
    look().catch((error: unknown) => {
      if (!isClosed) log.error({ err: error }, 'keeping the timer off failed');
    });
  }

  return {
    start,
    async release(unit: string, digest?: string): Promise<number> {
      const { released, guards } = await releaseQuarantined(store, run, unit, digest);
      tell(guards);
      return released;
    },
    close(): void {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
