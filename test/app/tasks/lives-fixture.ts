import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openDatabase } from '../../../app/db/open-database.ts';
import type { Store } from '../../../app/db/store.ts';
import { isFinal, type TaskStatus } from '../../../app/domain/task.ts';
import { stepTask, type TaskEvent, type TaskLife } from '../../../app/domain/task-life.ts';
import { createChildExecutor, TASK_ID_VARIABLE } from '../../../app/tasks/child-executor.ts';
import { forceStopTask } from '../../../app/tasks/force-stop-task.ts';
import { createCommitSource } from '../../../app/tasks/live/commit-source.ts';
import { stopTask } from '../../../app/tasks/stop-task.ts';
import { TaskDispatcher } from '../../../app/tasks/task-dispatcher.ts';
import type { TaskExecutor } from '../../../app/tasks/task-executor.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { until } from '../../helpers/until.ts';
import { keepLog, makeFolder } from '../http/http-fixture.ts';

const LIVE = join(import.meta.dirname, '../../fixtures/tasks/live.ts');
const PATIENCE_MS = 20_000;
const UNITS = ['web.service', 'db.service'] as const;

/** How the process of a task behaves; the last two never end by themselves, `deaf` not even when it is asked to. */
export const MANNERS = ['succeed', 'fail', 'vanish', 'wait', 'hang', 'deaf'] as const;

/** What can happen next; `of` chooses among the tasks that there are. */
export type Happening =
  | { readonly kind: 'new'; readonly manner: (typeof MANNERS)[number]; readonly unit: 0 | 1 }
  | { readonly kind: HappeningToOne; readonly of: number }
  /** `close` tells the processes of tasks, as a worker that stops; `crash` tells nobody. */
  | { readonly kind: 'close' }
  | { readonly kind: 'crash' }
  /** Worker and tasks are gone at once. */
  | { readonly kind: 'power-cut' };

/** See `happen`. */
export const HAPPENINGS = ['stop', 'force-stop', 'cut-off', 'kill', 'late', 'await-claim'] as const;
type HappeningToOne = (typeof HAPPENINGS)[number];

/** What a trigger has seen change in a row. */
type Change = Readonly<Record<`${'old' | 'new'}_${keyof typeof LIFE}`, number | string>> & {
  readonly id: string;
  readonly old_rest: string;
  readonly new_rest: string;
};
const LIFE = {
  status: 'status',
  attempts: 'attempts',
  deferrals: 'deferrals',
  claimed: 'claimed_at IS NOT NULL',
  asked: 'stop_requested_at IS NOT NULL',
};
/** What of a task nobody may change once it has ended: all but the word that nothing is left of its processes. */
const REST = ['summary', 'phase', 'error_code', 'finished_at', 'updated_at', 'running_digest'];

/** Tasks that live with the real store, dispatcher, child executor and processes, and all that is seen of them. */
export class World {
  readonly store: Store;
  readonly ids: string[] = [];
  readonly #path: string;
  readonly #journal;
  #dispatcher: TaskDispatcher;
  #executor: TaskExecutor;
  readonly #log = keepLog().log;

  constructor(context: TestContext) {
    const { store, path } = openTestStore(context, makeFolder(context));
    this.store = store;
    this.#path = path;
    const opened = openDatabase(path);
    assert.ok(opened.ok);
    this.#journal = opened.value;
    context.after(() => opened.value.close());
    const sides = ['old', 'new'].map((side) => ({
      life: Object.entries(LIFE).map(([name, sql]) => [
        `${side}_${name}`,
        sql.replace(/^\w+/, `${side}.$&`),
      ]),
      rest: REST.map((name) => `quote(${side}.${name})`).join(` || ' ' || `),
    }));
    const columns = sides.flatMap(({ life }) => life);
    this.#journal.exec(`CREATE TABLE journal (seq INTEGER PRIMARY KEY, id, old_rest, new_rest,
        ${columns.map(([name]) => name).join(', ')});
      CREATE TRIGGER journal_tasks AFTER UPDATE ON tasks BEGIN
        INSERT INTO journal (id, old_rest, new_rest, ${columns.map(([name]) => name).join(', ')})
        VALUES (new.id, ${sides.map(({ rest }) => rest).join(', ')}, ${columns.map(([, sql]) => sql).join(', ')});
      END`);
    [this.#executor, this.#dispatcher] = this.#startDispatcher();
    context.after(() => this.#dispatcher.close());
  }

  #startDispatcher(): [TaskExecutor, TaskDispatcher] {
    const { PATH = '' } = process.env;
    const executor = createChildExecutor({
      argv: [process.execPath, '--disable-warning=ExperimentalWarning', LIVE, this.#path],
      environment: { PATH },
    });
    // Of a worker that is killed nobody hears.
    const silent = { ...executor, close: () => {} };
    const commits = createCommitSource(this.#path, this.#log);
    const dispatcher = new TaskDispatcher({
      ...{
        store: this.store,
        log: this.#log,
        commits,
        concurrency: 2,
        imageLimit: { count: 1_000, windowMs: 1_000 },
        executors: [silent],
      },
      chooseExecutor: () => Promise.resolve(silent),
    });
    return [executor, dispatcher];
  }

  /**
   * Lets something happen. `cut-off` closes a task by force and ends the worker before it has killed anything; `kill` ends
   * the process of a task, `late` speaks for an attempt that is over; `await-claim` waits until a process has begun.
   */
  async happen(happening: Happening): Promise<void> {
    if (happening.kind === 'new') return this.#add(happening.manner, UNITS[happening.unit]);
    if (!('of' in happening)) return this.#restart(happening.kind);
    const id = this.ids[happening.of % this.ids.length];
    if (id !== undefined) await this.#happenTo(id, happening.kind);
  }

  async #happenTo(id: string, kind: HappeningToOne): Promise<void> {
    const stop = { by: 'the test', nowMs: Date.now(), target: undefined };
    switch (kind) {
      case 'stop': {
        const stopped = stopTask(this.store, id, 'the test', Date.now());
        if (stopped.ok) await this.#dispatcher.tell(stopped.value);
        return;
      }
      case 'force-stop':
        return this.forceStop(id);
      case 'cut-off':
        forceStopTask(this.store, id, stop);
        return this.#restart('crash');
      case 'kill':
        for (const { pid, isMain } of processesOf(id)) if (isMain) killProcess(pid);
        return;
      case 'late':
        return this.#speakLate(id);
      case 'await-claim':
        await until('a process', PATIENCE_MS, () => {
          const task = this.store.tasks.find(id);
          return task?.status !== 'running' || task.claimed_at !== null;
        });
    }
  }

  /** Closes a task by force, after which nothing of it is left. */
  async forceStop(id: string): Promise<void> {
    const stop = { by: 'the test', nowMs: Date.now(), target: undefined };
    const closed = forceStopTask(this.store, id, stop);
    if (!closed.ok) return;
    assert.deepEqual(await this.#dispatcher.kill(closed.value), { ok: true, value: undefined });
    assert.deepEqual(processesOf(id), [], `something is left of ${id}`);
  }

  #add(manner: string, unit: string): void {
    const id = `tsk_${String(this.ids.length).padStart(3, '0')}${Math.random().toString(36).slice(2, 10)}`;
    const at = Date.now() + this.ids.length;
    this.store.tasks.insert(
      newTask({ id, unit, image: null, created_at: at, trigger_reason: manner }),
    );
    this.ids.push(id);
    this.#dispatcher.wake();
  }

  async #restart(how: 'close' | 'crash' | 'power-cut'): Promise<void> {
    this.#dispatcher.close();
    if (how === 'close') this.#executor.close();
    if (how === 'power-cut') this.ids.forEach(killProcessesOf);
    [this.#executor, this.#dispatcher] = this.#startDispatcher();
    await this.#dispatcher.recover();
  }

  /** Nothing of what an attempt says that is over changes anything. */
  #speakLate(id: string): void {
    const { tasks } = this.store;
    this.store.transact(() => {
      const row = tasks.find(id);
      assert.ok(row);
      const { attempts } = row;
      // Of one that has ended its own attempt is over, too.
      for (const attempt of isFinal(row.status) ? [attempts - 1, attempts] : [attempts - 1]) {
        const stale = { id, attempts: attempt };
        const end = { status: 'succeeded', summary: 'Late.', at: 1 } as const;
        assert.equal(tasks.finish(stale, end), false);
        assert.equal(tasks.claim(stale, 1), false);
        assert.equal(tasks.release(stale, 1), false);
        assert.equal(tasks.defer(stale, 1, 1), false);
        tasks.setPhase(stale, 'rolling-back', 1);
        tasks.setEvidence(stale, { running_digest: 'late' }, 1);
        assert.deepEqual(tasks.find(id), row);
      }
    });
  }

  /** Lets all come to an end: what does so by itself, then by force what does not. */
  async settle(): Promise<void> {
    const open = () =>
      this.ids.filter((id) => {
        const task = this.store.tasks.find(id);
        return task !== undefined && !isFinal(task.status);
      });
    const endsItself = (id: string) => {
      const task = this.store.tasks.find(id);
      return !['hang', 'deaf'].includes(task?.trigger_reason ?? '');
    };
    for (const id of open()) if (!endsItself(id)) await this.forceStop(id);
    await until('the end of all tasks', PATIENCE_MS, () => {
      this.#dispatcher.wake();
      return open().length === 0;
    });
    await until('nothing to be left', PATIENCE_MS, () => {
      const unkilled = this.store.tasks.listUnkilled();
      return unkilled.length === 0 && this.ids.every((id) => processesOf(id).length === 0);
    });
  }

  /** What has changed is what can happen in the life of a task, and of ended ones nothing has. */
  check(): void {
    const changes = this.#journal.prepare<[], Change>('SELECT * FROM journal ORDER BY seq').all();
    for (const change of changes) {
      const [before, after] = [lifeIn(change, 'old'), lifeIn(change, 'new')];
      const text = JSON.stringify(change);
      if (isFinal(before.status)) {
        assert.deepEqual([after, change.new_rest], [before, change.old_rest], text);
      } else if (JSON.stringify(before) !== JSON.stringify(after)) {
        assert.ok(isPossible(before, after), text);
      }
    }
  }

  /** Whatever happened, leaves no process behind. */
  end(): void {
    this.#dispatcher.close();
    this.ids.forEach(killProcessesOf);
  }
}

function lifeIn(change: Change, side: 'old' | 'new'): TaskLife {
  return {
    status: change[`${side}_status`] as TaskStatus,
    attempts: Number(change[`${side}_attempts`]),
    deferrals: Number(change[`${side}_deferrals`]),
    isClaimed: change[`${side}_claimed`] === 1,
    isStopRequested: change[`${side}_asked`] === 1,
  };
}

/** Whether one event leads from one to the other. */
function isPossible(before: TaskLife, after: TaskLife): boolean {
  const attempt = before.attempts;
  const events: TaskEvent[] = [
    { kind: 'dispatch' },
    { kind: 'request-stop' },
    { kind: 'claim', attempt },
    { kind: 'release', attempt },
    { kind: 'defer', attempt },
    { kind: 'force-stop', attempt },
    { kind: 'lost', attempt, isOpen: false },
    ...(isFinal(after.status) ? [{ kind: 'finish', attempt, status: after.status } as const] : []),
  ];
  return events.some((event) => {
    const step = stepTask(before, event);
    return step.kind === 'next' && JSON.stringify(step.life) === JSON.stringify(after);
  });
}

/** The processes that carry a task's variable, but zombies; the main one is the one that was started for it. */
function processesOf(id: string): { pid: number; isMain: boolean }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
        const isOf = (text: string) => text.startsWith(`${TASK_ID_VARIABLE}=${id}-`);
        if (!environment.some(isOf)) return [];
        const isMain = readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('run-task');
        return [{ pid: Number(name), isMain }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

function killProcessesOf(id: string): void {
  for (const { pid } of processesOf(id)) killProcess(pid);
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended while we looked.
  }
}
