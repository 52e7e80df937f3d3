import type { Logger } from 'pino';
import { formatFailure, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import type { TaskExecutor } from './task-executor.ts';

/** When what could not be killed is killed again. */
const AGAIN_MS = 5_000;

type Parts = {
  readonly store: Store;
  readonly log: Logger;
  readonly executors: readonly TaskExecutor[];
  /** Nothing is left of a task: its unit is free. */
  readonly onGone: () => void;
};

/** Kills the processes of tasks that were force-stopped, and does not let off until nothing is left of them. */
export class TaskKiller {
  readonly #parts: Parts;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What was closed and not seen to be gone before the worker ended is killed now. */
  recover(): void {
    for (const task of this.#parts.store.tasks.listUnkilled()) this.#killLater(task, 0);
  }

  /** Whether nothing is left; else TASK_NOT_KILLED, and it is tried again by itself. */
  async kill(task: TaskRow): Promise<Outcome<void>> {
    const { store, executors, onGone } = this.#parts;
    if (task.force_stopped_at === null || task.killed_at !== null) return succeed(undefined);
    const executor = executors.find(({ kind }) => kind === task.executor);
    const killed = (await executor?.kill(task)) ?? succeed(undefined);
    if (this.#isClosed) return killed;
    if (killed.ok) {
      store.transact(() => {
        store.tasks.setKilled(task.id, Date.now());
        this.#note(task, 'info', 'task-killed', 'Nothing is left of its processes.');
      });
      onGone();
    } else {
      this.#note(task, 'error', 'task-not-killed', formatFailure(killed.failure));
      this.#killLater(task, AGAIN_MS);
    }
    return killed;
  }

  /** Tries nothing more; whoever comes next goes on. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #killLater({ id }: TaskRow, inMs: number): void {
    clearTimeout(this.#timers.get(id));
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      const task = this.#parts.store.tasks.find(id);
      if (!task) return;
      this.kill(task).catch((error: unknown) => {
        this.#parts.log.error({ err: error, task: id }, 'killing a task failed');
        if (!this.#isClosed) this.#killLater(task, AGAIN_MS);
      });
    }, inMs);
    this.#timers.set(id, timer);
  }

  #note({ id }: TaskRow, level: 'info' | 'error', action: string, summary: string): void {
    const entry = { task_id: id, ts: Date.now(), level, action, summary, meta: null };
    this.#parts.store.taskLogs.append(entry);
  }
}
