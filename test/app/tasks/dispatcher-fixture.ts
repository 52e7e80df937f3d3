import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { TaskRow } from '../../../app/db/tasks.ts';
import { TaskDispatcher } from '../../../app/tasks/task-dispatcher.ts';
import type { TaskExecutor } from '../../../app/tasks/task-executor.ts';
import { type Failure, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { keepLog } from '../http/http-fixture.ts';
import { makeStore } from './task-fixture.ts';

/** A process of a task, as far as the dispatcher can see it. */
type Process = { readonly task: TaskRow; readonly end: (how: string) => void };

/** An executor whose processes are entries of a list, ended by the test. */
class MemoryExecutor implements TaskExecutor {
  readonly kind: TaskExecutor['kind'];
  readonly started: Process[] = [];
  readonly adopted: Process[] = [];
  /** Whether the process of a task of an earlier worker is found. */
  isAlive = false;
  /** Whether nobody can say. */
  isUnknown = false;
  isClosed = false;

  constructor(kind: TaskExecutor['kind']) {
    this.kind = kind;
  }

  start(task: TaskRow): Promise<string> {
    return this.#watch(this.started, task);
  }

  adopt(task: TaskRow) {
    if (this.isUnknown) return Promise.resolve({ kind: 'unknown' as const });
    if (!this.isAlive) return Promise.resolve({ kind: 'gone' as const });
    return Promise.resolve({ kind: 'alive' as const, ended: this.#watch(this.adopted, task) });
  }

  readonly woken: string[] = [];

  wake(task: TaskRow): Promise<void> {
    this.woken.push(task.id);
    return Promise.resolve();
  }

  readonly killed: string[] = [];
  /** Why nothing can be killed just now. */
  unkillable: Failure | undefined;

  kill(task: TaskRow): Promise<Outcome<void>> {
    this.killed.push(task.id);
    const { unkillable: failure } = this;
    return Promise.resolve(failure ? { ok: false, failure } : succeed(undefined));
  }

  close(): void {
    this.isClosed = true;
  }

  #watch(list: Process[], task: TaskRow): Promise<string> {
    return new Promise((end) => list.push({ task, end }));
  }
}

/** A dispatcher over a real store and such executors; time is the test's. */
export function startDispatcher(
  context: TestContext,
  concurrency = 2,
  isPaused = false,
  imageLimit = { count: 1_000, windowMs: 1_000 },
) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const store = makeStore(context);
  const { lines, log } = keepLog();
  const child = new MemoryExecutor('child');
  const systemdRun = new MemoryExecutor('systemd-run');
  const choices: (() => Promise<TaskExecutor>)[] = [];
  /** What was told of tasks whose process was gone: the task, and the code of what closed it. */
  const lost: (readonly [id: string, code: string | undefined])[] = [];
  const watchers = new Set<() => void>();
  const commits = {
    subscribe: (watcher: () => void) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    /** Somebody has written to the database. */
    tell: () => {
      for (const watcher of watchers) watcher();
    },
    watchers,
  };
  const dispatcher = new TaskDispatcher({
    store,
    log,
    commits,
    ...{ concurrency, imageLimit },
    isPaused,
    executors: [systemdRun, child],
    onLost: (id, _how, failure) => lost.push([id, failure?.code]),
    chooseExecutor: () => choices.shift()?.() ?? Promise.resolve(child),
  });
  context.after(() => dispatcher.close());
  /** Plays the process of a task: takes it and writes its end. */
  const succeed = (process: Process | undefined) => {
    assert.ok(process);
    store.tasks.claim(attemptOf(store.tasks, process.task.id), 1);
    store.tasks.finish(attemptOf(store.tasks, process.task.id), {
      status: 'succeeded',
      summary: 'Done.',
      at: 2,
    });
    process.end('the process exited with 0');
  };
  const units = () => child.started.map(({ task }) => task.unit);
  const executors = { child, systemdRun, choices };
  return { store, lines, lost, commits, ...executors, dispatcher, succeed, units, context };
}
