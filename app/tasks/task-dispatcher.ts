import type { Outcome } from '../../shared/contract/outcome.ts';
import type { TaskRow } from '../db/tasks.ts';
import { isFinal } from '../domain/task.ts';
import { beginNext, putOff } from './begin-task.ts';
import { chooseTask } from './choose-task.ts';
import type { DispatcherOptions } from './dispatcher-options.ts';
import { attempt, type Gathered, gather } from './live/gather.ts';
import { settleLost } from './settle-lost.ts';
import type { TaskExecutor } from './task-executor.ts';
import { TaskKiller } from './task-killer.ts';
import { type RareTeller, tellRarely } from './tell-rarely.ts';
import { processOf, WatchedProcesses } from './watched-processes.ts';

/** Before a task whose process vanished begins again: what hindered it may pass. */
const RESUME_DELAY_MS = 2_000;
/** A clock that is set forward must not hold a waiting task back for long. */
const LOOK_AT_LEAST_EVERY_MS = 3_600_000;
/** After a failure of the database. */
const RETRY_MS = 2_000;
/** Between two looks at the tasks of the processes that run. */
const LOOK_PAUSE_MS = 200;

/**
 * Starts processes for pending tasks and sees to it that none is left `running` without one. One deployment per unit at a
 * time, in the order of `chooseNext`; how many units at a time is bounded. A process that has ended its task may take the
 * next one by itself (`take-next.ts`), as long as this dispatcher would. Driven by events: a new task, an ended one.
 */
export class TaskDispatcher {
  readonly #options: DispatcherOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #due: NodeJS.Timeout | undefined;
  #isDispatching = false;
  /** Somebody asked while a round was under way: it may have looked too early. */
  #isWanted = false;
  #isClosed = false;
  #isPaused: boolean;
  readonly #processes: WatchedProcesses;
  readonly #looks: Gathered;
  /** There is no channel from a transient unit: the database tells when its tasks go on, while any process runs. */
  #unsubscribe: (() => void) | undefined;
  /** Asked for by whoever paused us; told once. */
  #onIdle: (() => void) | undefined;
  readonly #killer: TaskKiller;
  readonly #failures: RareTeller;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#failures = tellRarely(options.log, 'dispatching tasks failed');
    this.#killer = new TaskKiller({ ...options, onGone: () => this.wake() });
    this.#isPaused = options.isPaused ?? false;
    this.#processes = new WatchedProcesses(options.store);
    this.#looks = gather(
      () => this.#attempt('looking at the tasks failed', () => this.#look()),
      () => LOOK_PAUSE_MS,
    );
    this.#attempt('the database cannot be used yet', () => this.#beginToDispatch());
  }

  /**
   * After a start, and whenever the database was opened anew: watches the tasks that still run, begins or closes those whose
   * process is gone.
   */
  async recover(): Promise<void> {
    this.#beginToDispatch();
    this.#killer.recover();
    await this.#takeOver('its process was gone when the worker started');
  }

  /** The same for tasks that another process has begun and nobody watches: it may have died since. */
  lookForLost(): Promise<void> {
    return this.#takeOver('whoever began it is gone, and so is its process');
  }

  #beginToDispatch(): void {
    this.#options.store.dispatching.begin(Date.now(), this.#bounds().slots);
  }

  /** Looks for work; cheap when there is none. */
  wake(): void {
    this.#isWanted = true;
    if (this.#isDispatching || this.#isClosed) return;
    this.#isDispatching = true;
    this.#dispatchWhileWanted().catch((error: unknown) => {
      this.#failures.tell(error);
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
    this.#tellSlots();
    this.wake();
  }

  /** Goes on as before the pause. */
  resume(): void {
    this.#isPaused = false;
    this.#onIdle = undefined;
    this.#tellSlots();
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
    this.#tellSlots();
    this.#looks.close();
    this.#stopLooking();
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#due);
    for (const executor of this.#options.executors) executor.close();
  }

  async #takeOver(how: string): Promise<void> {
    for (const task of this.#options.store.tasks.listRunning()) {
      if (!this.#processes.has(task)) await this.#adoptOrResume(task, how);
    }
    this.wake();
  }

  async #dispatchWhileWanted(): Promise<void> {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#dispatchAll();
        this.#failures.forget();
      }
    } finally {
      // In the same turn as the last look at `isWanted`: whoever asks from now on begins a round of their own.
      this.#isDispatching = false;
    }
  }

  async #dispatchAll(): Promise<void> {
    for (;;) {
      if (this.#isPaused) return this.#sayIdle();
      const bounds = this.#bounds();
      const { next: task, limited } = chooseTask(this.#options.store, bounds);
      putOff(this.#options.store, limited, bounds);
      if (!task) return this.#wakeWhenDue(bounds.nowMs);
      const executor = await this.#options.chooseExecutor();
      if (this.#isClosed) return;
      if (!this.#isPaused) this.#begin(task, executor);
    }
  }

  /** How many tasks may run at a time, and how often deliveries may have one image deployed. */
  #bounds() {
    const slots = this.#isPaused || this.#isClosed ? 0 : this.#options.concurrency;
    return { slots, limit: this.#options.imageLimit, nowMs: Date.now() };
  }

  /** Tells the processes of tasks; one that cannot be told ends by itself within seconds, behind its task. */
  #tellSlots(): void {
    this.#attempt('the processes of tasks could not be told', () =>
      this.#options.store.dispatching.setSlots(this.#bounds().slots),
    );
  }

  /** All or nothing: a task that is marked is started and watched, or nobody would ever look at it again. */
  #begin({ id }: TaskRow, executor: TaskExecutor): void {
    const { store } = this.#options;
    const said = `Handed to ${executor.kind}.`;
    // The choice took time, and a process may have taken it, or the place: only what is still to be begun is started.
    const dispatched = store.transact(() =>
      beginNext(store, this.#bounds(), { executor: executor.kind, said }, id),
    );
    if (dispatched) this.#watch(dispatched, executor.start(dispatched));
  }

  /**
   * A task may wait for its time: the next one is begun when that has come, by whatever the clock says then. `lookedAt` is what
   * it said when what is due was looked for: what has become due since is still to be begun.
   */
  #wakeWhenDue(lookedAt: number): void {
    clearTimeout(this.#due);
    const nextDue = this.#options.store.tasks.nextDue(lookedAt);
    if (nextDue === undefined || this.#isClosed) return;
    const inMs = Math.min(Math.max(nextDue - Date.now(), 1), LOOK_AT_LEAST_EVERY_MS);
    this.#due = setTimeout(() => this.wake(), inMs);
  }

  /** Idle is more than no task marked as running: a process that has written its result is about to end, not gone. */
  #sayIdle(): void {
    const onIdle = this.#onIdle;
    if (!onIdle || this.#processes.size > 0 || this.#options.store.tasks.countRunning() > 0) return;
    this.#onIdle = undefined;
    onIdle();
  }

  #watch(task: TaskRow, ended: Promise<string>): void {
    this.#processes.begin(task);
    this.#unsubscribe ??= this.#options.commits.subscribe(() => this.#looks.ask());
    ended
      .then((how) => (this.#isClosed ? undefined : this.#settle(processOf(task), how)))
      .catch((error: unknown) => {
        this.#options.log.error({ err: error, task: task.id }, 'settling a task failed');
        this.#watchLater(task, 'settling it failed');
      })
      .finally(() => {
        this.#processes.end(task);
        if (this.#processes.size === 0) this.#stopLooking();
        if (this.#isPaused) this.wake();
      });
  }

  /** Looks again a little later, as if the process had just been lost sight of. */
  #watchLater(task: TaskRow, how: string): void {
    const { promise, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      resolve(how);
    }, RETRY_MS);
    this.#timers.add(timer);
    this.#watch(task, promise);
  }

  /** Begins a task again only when its process is surely gone: two at one unit would be worse than none. */
  async #adoptOrResume(task: TaskRow, how: string): Promise<void> {
    const executor = this.#options.executors.find(({ kind }) => kind === task.executor);
    const adoption = (await executor?.adopt(task)) ?? { kind: 'gone' };
    if (this.#isClosed) return;
    if (adoption.kind === 'alive') {
      this.#watch(task, adoption.ended);
      // The worker that was asked to stop it may have ended before it told it.
      if (task.stop_requested_at !== null) await executor?.wake(task);
    } else if (adoption.kind === 'unknown') this.#watchLater(task, how);
    else this.#resumeOrClose(task, how);
  }

  /** A process is gone: its last task has ended, or must begin again, or is closed. */
  async #settle(process: string, how: string): Promise<void> {
    for (const task of this.#options.store.tasks.listByProcess(process)) {
      if (task.status === 'running') await this.#adoptOrResume(task, how);
    }
    this.#look();
  }

  /** Tells of each task that has ended since the last look; others may begin then. */
  #look(): void {
    for (const task of this.#processes.findEnded()) {
      const { id, unit, status } = task;
      if (!isFinal(status)) this.#later(RESUME_DELAY_MS);
      else {
        this.#options.log.info({ task: id, unit, status }, 'task ended');
        this.wake();
      }
    }
  }

  #stopLooking(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #attempt(what: string, act: () => void): void {
    attempt(act, (error) => this.#options.log.error({ err: error }, what));
  }

  #resumeOrClose(task: TaskRow, how: string): void {
    this.#processes.note(task);
    if (settleLost(this.#options, task, how) === 'closed') this.wake();
    else this.#later(RESUME_DELAY_MS);
  }

  #later(delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.wake();
    }, delayMs);
    this.#timers.add(timer);
  }
}
