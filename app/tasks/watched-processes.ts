import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';

/**
 * The processes of tasks whose end has not been seen to yet, and which of their tasks have been told of: a process may
 * carry out several, one after the other.
 */
export class WatchedProcesses {
  readonly #store: Store;
  readonly #open = new Map<string, { watchers: number; readonly told: Set<string> }>();

  constructor(store: Store) {
    this.#store = store;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Begins to watch the process that carries out `task`. What it has ended before that is not news. */
  begin(task: TaskRow): void {
    const process = processOf(task);
    const known = this.#open.get(process);
    if (known) {
      known.watchers++;
      return;
    }
    const before = this.#store.tasks
      .listByProcess(process)
      .filter(({ id, status }) => status !== 'running' && id !== task.id);
    this.#open.set(process, { watchers: 1, told: new Set(before.map(runOf)) });
  }

  end(task: TaskRow): void {
    const process = processOf(task);
    const known = this.#open.get(process);
    if (known && --known.watchers === 0) this.#open.delete(process);
  }

  /** Whether the process that carries out `task` is watched. */
  has(task: TaskRow): boolean {
    return this.#open.has(processOf(task));
  }

  /** The attempts of a process that do not run any more, each once. */
  findEnded(): TaskRow[] {
    return [...this.#open].flatMap(([process, { told }]) => {
      const ended = this.#store.tasks
        .listByProcess(process)
        .filter((task) => task.status !== 'running' && !told.has(runOf(task)));
      for (const task of ended) told.add(runOf(task));
      return ended;
    });
  }

  /** What is known of an attempt already is not to be told once more. */
  note(task: TaskRow): void {
    this.#open.get(processOf(task))?.told.add(runOf(task));
  }
}

/** The process that carries out a task: the task and the attempt that it was started for. */
export function processOf(task: Pick<TaskRow, 'id' | 'attempts' | 'process'>): string {
  return task.process ?? runOf(task);
}

function runOf({ id, attempts }: Pick<TaskRow, 'id' | 'attempts'>): string {
  return `${id}-${attempts}`;
}
