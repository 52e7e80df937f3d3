import type { Logger } from 'pino';
import { type Failure, fail, formatFailure, type Outcome } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import { findNextRun } from '../domain/schedule.ts';
import type { Clock } from './clock.ts';
import { type Beginning, lastDueOf, type TakenTick, type TimedJob, takeTick } from './take-tick.ts';

/** What a job does when its time has come: it makes a task, or it is a call that ends soon. */
export type JobWork =
  | {
      readonly kind: 'task';
      /** Makes the task, where there is something to do; inside of the transaction that claims the tick. */
      readonly begin: () => Beginning;
      /** The task is there for others to see. */
      readonly onMade: () => void;
    }
  | {
      readonly kind: 'call';
      /** What it came to, in a few words. */
      readonly call: () => Promise<Outcome<string>>;
    };

/** A job that this process serves. */
export type ServedJob = TimedJob & { readonly work: JobWork };

/** What a schedule is made of. */
export type ScheduleParts = {
  readonly jobs: readonly ServedJob[];
  readonly store: Pick<Store, 'schedule' | 'madeAt' | 'transact'>;
  readonly clock: Clock;
  /** See `processMark`. */
  readonly mark: string;
  readonly log: Logger;
  /** Each time that a job was begun. */
  readonly onTick?: (tick: TakenTick, failure: Failure | undefined) => void;
};

/** Jobs that begin by themselves. */
export type Schedule = {
  /** From now on, at once what was missed meanwhile; may be called again, and does nothing once it is closed. */
  start(): void;
  /** From now on it does nothing to the database. What a call comes to then is not written, and its time is due again. */
  close(): void;
};

/**
 * How long it sleeps at most. The timers of Node follow the clock that nobody sets and that stands still while the machine
 * sleeps; nothing in Node tells that the wall clock was set, so it is looked at this often.
 */
const LONGEST_SLEEP_MS = 30_000;
/** A difference of the two clocks that is no mere drift. */
const JUMP_MS = 2_000;

/** Has each job begin at its due times, whatever becomes of the wall clock. */
export function createSchedule(parts: ScheduleParts): Schedule {
  return new RunningSchedule(parts);
}

class RunningSchedule implements Schedule {
  readonly #parts: ScheduleParts;
  /** When each job begins next, as it was when that was looked up: another process may only have made it later. */
  readonly #nextRuns = new Map<string, number>();
  #cancel: (() => void) | undefined;
  #seen: { readonly now: number; readonly steady: number } | undefined;
  #isClosed = false;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#seen === undefined && !this.#isClosed) this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #look(): void {
    const { jobs, clock, log } = this.#parts;
    if (this.#hasJumped()) this.#nextRuns.clear();
    const nowMs = clock.now();
    for (const job of jobs) {
      try {
        this.#serve(job, nowMs);
      } catch (error) {
        // The time stays due, and the database will be there again.
        log.error({ err: error, job: job.name }, 'a job of the schedule could not begin');
      }
    }
    this.#cancel = clock.after(this.#sleepMs(nowMs), () => this.#look());
  }

  /** Whether the wall clock is not where the steady one would have it. */
  #hasJumped(): boolean {
    const { clock, log } = this.#parts;
    const seen = { now: clock.now(), steady: clock.steady() };
    const before = this.#seen ?? seen;
    this.#seen = seen;
    const jumpMs = Math.round(seen.now - before.now - (seen.steady - before.steady));
    if (Math.abs(jumpMs) <= JUMP_MS) return false;
    log.info({ jumpMs }, 'the clock was set, or the machine has slept');
    return true;
  }

  #serve(job: ServedJob, nowMs: number): void {
    const known = this.#nextRuns.get(job.name);
    if (known !== undefined && nowMs < known) return;
    if (this.#nextRun(job, nowMs) === nowMs) this.#begin(job, nowMs);
    this.#nextRuns.set(job.name, this.#nextRun(job, nowMs));
  }

  #begin(job: ServedJob, nowMs: number): void {
    const { store, mark, log, onTick } = this.#parts;
    const begin = (): Beginning => (job.work.kind === 'task' ? job.work.begin() : { kind: 'call' });
    const tick = takeTick(store, job, { mark, nowMs, begin });
    if (!tick) return;
    const { dueAt, beginning } = tick;
    if (beginning.kind === 'idle') return;
    log.info({ job: job.name, due: new Date(dueAt).toISOString(), ...beginning }, 'it is time');
    if (job.work.kind === 'call') {
      void this.#call(tick, job.work.call);
      return;
    }
    job.work.onMade();
    onTick?.(tick, undefined);
  }

  async #call(tick: TakenTick, call: () => Promise<Outcome<string>>): Promise<void> {
    const { store, clock, mark, log, onTick } = this.#parts;
    const { job, dueAt } = tick;
    try {
      const done = await call().catch((error: unknown) => {
        log.error({ err: error, job }, 'a job of the schedule has failed');
        return fail('INTERNAL', `${job}.`);
      });
      if (this.#isClosed) return;
      const failure = done.ok ? undefined : done.failure;
      store.schedule.end(
        { job, due_at: dueAt, claimed_by: mark },
        {
          at: clock.now(),
          result: done.ok ? done.value : formatFailure(done.failure),
          error_code: failure?.code ?? null,
        },
      );
      onTick?.(tick, failure);
    } catch (error) {
      log.error({ err: error, job }, 'the end of a job of the schedule could not be written');
    }
  }

  #nextRun({ name, timing }: TimedJob, nowMs: number): number {
    const lastDueAt = lastDueOf(this.#parts.store, name);
    return findNextRun(timing, lastDueAt, nowMs) ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Until the next job begins, by the time of the last look: what has become due since has not been looked at. What was due then
   * and could not begin is tried again after the longest sleep.
   */
  #sleepMs(lookedAt: number): number {
    const ahead = [...this.#nextRuns.values()].filter((at) => at > lookedAt);
    const waitMs = Math.min(...ahead) - this.#parts.clock.now();
    return Math.min(LONGEST_SLEEP_MS, Math.max(waitMs, 1));
  }
}
