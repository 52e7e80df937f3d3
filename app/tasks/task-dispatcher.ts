import type { Logger } from 'pino';
import type { Failure, Outcome } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { chooseNext } from '../domain/choose-next.ts';
import { decideLost, isFinal } from '../domain/task.ts';
import type { TaskExecutor } from './task-executor.ts';
import { TaskKiller } from './task-killer.ts';

/** Before a task whose process vanished begins again: what hindered it may pass. */
const RESUME_DELAY_MS = 2_000;
/** A clock that is set forward must not hold a waiting task back for long. */
const LOOK_AT_LEAST_EVERY_MS = 3_600_000;
/** After a failure of the database. */
const RETRY_MS = 2_000;
/** Among so many units the next one is chosen; more than that are looked at when these have had their turn. */
const MAX_CANDIDATES = 1_000;

type Options = {
  readonly store: Store;
  readonly log: Logger;
  /** Chosen for each task: a user manager may come up later than we do. */
  readonly chooseExecutor: () => Promise<TaskExecutor>;
  /** Those that may have started a running task. */
  readonly executors: readonly TaskExecutor[];
  readonly concurrency: number;
  /** A new version that has not proven itself begins nothing; `resume` ends that. */
  readonly isPaused?: boolean;
  /** Told when the process of a task was gone: it begins again, or is closed with `failure`. */
  readonly onLost?: (taskId: string, how: string, failure: Failure | undefined) => void;
};

/**
 * Starts the process of each pending task and sees to it that none is left `running` without one. One deployment per
 * unit at a time, in the order of `chooseNext`; how many units at a time is bounded. Driven by events: a new task, an ended one.
 */
export class TaskDispatcher {
  readonly #options: Options;
  readonly #timers = new Set<NodeJS.Timeout>();
  #due: NodeJS.Timeout | undefined;
  #isDispatching = false;
  /** Somebody asked while a round was under way: it may have looked too early. */
  #isWanted = false;
  #isClosed = false;
  #isPaused: boolean;
  /** Processes of tasks whose end we have not seen to yet. */
  #watched = 0;
  /** Asked for by whoever paused us; told once. */
  #onIdle: (() => void) | undefined;
  /** When each unit had its last turn, for as long as anybody waits: those who have waited since then come first. */
  readonly #servedAt = new Map<string, number>();

  readonly #killer: TaskKiller;

  constructor(options: Options) {
    this.#options = options;
    this.#killer = new TaskKiller({ ...options, onGone: () => this.wake() });
    this.#isPaused = options.isPaused ?? false;
  }

  /** After a start: watches the tasks that still run, begins or closes those whose process is gone. */
  async recover(): Promise<void> {
    const { store } = this.#options;
    this.#killer.recover();
    for (const task of store.tasks.listRunning()) {
      await this.#adoptOrResume(task, 'its process was gone when the worker started');
    }
    this.wake();
  }

  /** Looks for work; cheap when there is none. */
  wake(): void {
    this.#isWanted = true;
    if (this.#isDispatching || this.#isClosed) return;
    this.#isDispatching = true;
    this.#dispatchWhileWanted().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'dispatching tasks failed');
      this.#later(RETRY_MS);
    });
  }

  /**
   * Begins no more tasks and lets those that run end. `onIdle` is told once none runs any more, at once where none
   * does; not after a `resume` that comes first.
   */
  pause(onIdle: () => void): void {
    this.#isPaused = true;
    this.#onIdle = onIdle;
    this.wake();
  }

  /** Goes on as before the pause. */
  resume(): void {
    this.#isPaused = false;
    this.#onIdle = undefined;
    this.wake();
  }

  /** The row of a task has changed in a way that its process has to know of. */
  async tell(task: TaskRow): Promise<void> {
    const executor = this.#options.executors.find(({ kind }) => kind === task.executor);
    if (task.status === 'running') await executor?.wake(task);
    else this.wake();
  }

  /** Kills what is left of a task that was force-stopped; see `TaskKiller`. */
  kill(task: TaskRow): Promise<Outcome<void>> {
    return this.#killer.kill(task);
  }

  /** Dispatches nothing more and stops watching; tasks in units of their own go on. */
  close(): void {
    this.#isClosed = true;
    this.#killer.close();
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#due);
    for (const executor of this.#options.executors) executor.close();
  }

  async #dispatchWhileWanted(): Promise<void> {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#dispatchAll();
      }
    } finally {
      // In the same turn as the last look at `isWanted`: whoever asks from now on begins a round of their own.
      this.#isDispatching = false;
    }
  }

  async #dispatchAll(): Promise<void> {
    for (;;) {
      if (this.#isPaused) return this.#sayIdle();
      const task = this.#choose();
      if (!task) return this.#wakeWhenDue();
      const executor = await this.#options.chooseExecutor();
      if (this.#isClosed) return;
      if (!this.#isPaused) this.#begin(task, executor);
    }
  }

  #choose(): TaskRow | undefined {
    const { store, concurrency } = this.#options;
    const running = store.tasks.listRunning();
    if (this.#isClosed || running.length >= concurrency) return undefined;
    const candidates = store.tasks.listDispatchable(MAX_CANDIDATES, Date.now());
    if (candidates.length === 0) this.#servedAt.clear();
    return chooseNext(candidates, running, this.#servedAt);
  }

  /** All or nothing: a task that is marked is started and watched, or nobody would ever look at it again. */
  #begin({ id, unit }: TaskRow, executor: TaskExecutor): void {
    const { store } = this.#options;
    const dispatched = store.transact(() => {
      // The choice took time: only what is still pending is started.
      if (!store.tasks.markDispatched(id, executor.kind, Date.now())) return undefined;
      this.#note(id, 'info', 'task-dispatched', `Handed to ${executor.kind}.`);
      return store.tasks.find(id);
    });
    if (!dispatched) return;
    this.#servedAt.set(unit, Date.now());
    this.#watch(id, executor.start(dispatched));
  }

  /** A task may wait for its time: the next one is begun when that has come, by whatever the clock says then. */
  #wakeWhenDue(): void {
    clearTimeout(this.#due);
    const nextDue = this.#options.store.tasks.nextDue(Date.now());
    if (nextDue === undefined || this.#isClosed) return;
    const inMs = Math.min(Math.max(nextDue - Date.now(), 1), LOOK_AT_LEAST_EVERY_MS);
    this.#due = setTimeout(() => this.wake(), inMs);
  }

  /** Idle is more than no task marked as running: a process that has written its result is about to end, not gone. */
  #sayIdle(): void {
    const onIdle = this.#onIdle;
    if (!onIdle || this.#watched > 0 || this.#options.store.tasks.countRunning() > 0) return;
    this.#onIdle = undefined;
    onIdle();
  }

  #watch(id: string, ended: Promise<string>): void {
    this.#watched++;
    ended
      .then((how) => (this.#isClosed ? undefined : this.#settle(id, how)))
      .catch((error: unknown) => {
        this.#options.log.error({ err: error, task: id }, 'settling a task failed');
        this.#watchLater(id, 'settling it failed');
      })
      .finally(() => {
        this.#watched--;
        if (this.#isPaused) this.wake();
      });
  }

  /** Looks again a little later, as if the process had just been lost sight of. */
  #watchLater(id: string, how: string): void {
    const { promise, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      resolve(how);
    }, RETRY_MS);
    this.#timers.add(timer);
    this.#watch(id, promise);
  }

  /** Begins a task again only when its process is surely gone: two at one unit would be worse than none. */
  async #adoptOrResume(task: TaskRow, how: string): Promise<void> {
    const executor = this.#options.executors.find(({ kind }) => kind === task.executor);
    const adoption = (await executor?.adopt(task)) ?? { kind: 'gone' };
    if (this.#isClosed) return;
    if (adoption.kind === 'alive') {
      this.#watch(task.id, adoption.ended);
      // The worker that was asked to stop it may have ended before it told it.
      if (task.stop_requested_at !== null) await executor?.wake(task);
    } else if (adoption.kind === 'unknown') this.#watchLater(task.id, how);
    else this.#resumeOrClose(task, how);
  }

  /** The process of a task is gone: it has ended, or must begin again, or is closed. */
  async #settle(id: string, how: string): Promise<void> {
    const { store, log } = this.#options;
    const task = store.tasks.find(id);
    if (!task) return;
    if (task.status === 'running') await this.#adoptOrResume(task, how);
    else if (isFinal(task.status)) {
      log.info({ task: id, unit: task.unit, status: task.status }, 'task ended');
      this.wake();
    } else this.#later(RESUME_DELAY_MS);
  }

  #resumeOrClose(task: TaskRow, how: string): void {
    const { store, log } = this.#options;
    const what = `The process of the task ended without a result: ${how}`;
    const stage = store.deployments.find(task.id)?.stage ?? 'ended';
    if (decideLost(task.attempts - task.deferrals, stage !== 'ended') === 'resume') {
      // False when it has ended or given itself back while we looked.
      if (!store.tasks.release(task, Date.now())) {
        this.#later(RESUME_DELAY_MS);
        return;
      }
      this.#note(task.id, 'warning', 'task-resumed', `${what}; it begins again.`);
      log.warn({ task: task.id, attempts: task.attempts, how }, 'task begins again');
      this.#options.onLost?.(task.id, how, undefined);
      this.#later(RESUME_DELAY_MS);
      return;
    }
    const failure = lostFailure(task, how);
    this.#note(task.id, 'error', 'task-lost', `${what}.`);
    store.tasks.finish(task, {
      status: 'failed',
      summary: `${describeLost(task)}: ${failure.code}.`,
      errorCode: failure.code,
      errorDetail: failure.detail,
      at: Date.now(),
    });
    log.error({ task: task.id, code: failure.code, how }, 'task ended');
    this.#options.onLost?.(task.id, how, failure);
    this.wake();
  }

  #note(id: string, level: 'info' | 'warning' | 'error', action: string, summary: string): void {
    this.#options.store.taskLogs.append({
      task_id: id,
      ts: Date.now(),
      level,
      action,
      summary,
      meta: null,
    });
  }

  #later(delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.wake();
    }, delayMs);
    this.#timers.add(timer);
  }
}

function describeLost({ kind, unit }: TaskRow): string {
  return kind === 'maintenance' ? 'It could not be done' : `${unit} could not be updated`;
}

function lostFailure(task: TaskRow, how: string): Failure {
  const code = task.claimed_at === null ? 'TASK_DISPATCH_FAILED' : 'TASK_LOST';
  return { code, detail: `After ${task.attempts - task.deferrals} attempts: ${how}.` };
}
