import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DeploymentRow } from '../../../app/db/deployments.ts';
import type { Store } from '../../../app/db/store.ts';
import { BACK_ATTEMPTS, FORWARD_ATTEMPTS } from '../../../app/domain/deployment.ts';
import { MAX_ATTEMPTS } from '../../../app/domain/task.ts';
import { takeOver } from '../../../app/intake/take-over.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { spoolEntry } from '../../helpers/spool.ts';
import { startDispatcher } from './dispatcher-fixture.ts';
import { addTask, findTask, settle } from './task-fixture.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

/** A dispatcher whose wall clock is the test's, too; timers and clock go on together, or the clock jumps alone. */
function startWithClock(context: TestContext, concurrency?: number) {
  const all = startDispatcher(context, concurrency);
  const clock = { nowMs: NOW };
  context.mock.method(Date, 'now', () => clock.nowMs);
  const goOn = async (ms: number) => {
    clock.nowMs += ms;
    context.mock.timers.tick(ms);
    await settle();
  };
  return { ...all, clock, goOn };
}

/** An attempt at a pending task ends because it is not time yet. */
function defer(store: Store, id: string, notBefore: number): void {
  assert.ok(store.tasks.markDispatched(id, 'child', NOW));
  assert.ok(store.tasks.claim(attemptOf(store.tasks, id), NOW));
  assert.ok(store.tasks.defer(attemptOf(store.tasks, id), notBefore, NOW));
}

/** What a sender says of one push: as many deliveries as it likes, each of another number, of the digests in turn. */
function pushes(count: number, digests: readonly string[], fromMs: number) {
  return Array.from({ length: count }, (_, index) =>
    spoolEntry({
      ...{ id: `dlv_${fromMs}_${index}`, receivedAt: fromMs + Math.floor((index * 1_000) / count) },
      verdict: {
        ...{ verdict: 'accepted', matched: 'tag', image: 'ghcr.io/o/web:main' },
        digest: digests[index % digests.length] ?? '',
      },
    }),
  );
}

describe('task dispatcher: deliveries of one image', () => {
  const WINDOW = { windowMs: 1_000 };
  const at = (end: number) => ({ segment: 'a.spool', end });

  test('500 of other numbers in a second are one deployment, and so is what comes while it runs', async (t) => {
    const { store, dispatcher, child, units, goOn } = startWithClock(t);
    for (const [part, tenth] of Array.from({ length: 10 }, (_, index) => [index, 50] as const)) {
      const entries = pushes(500, ['old', 'new'], NOW).slice(part * tenth, (part + 1) * tenth);
      takeOver(store, entries, at(part), WINDOW);
      dispatcher.wake();
      await settle();
      await goOn(99);
    }
    assert.deepEqual(units(), []);
    await goOn(10);
    assert.deepEqual(units(), ['web.service']);
    assert.equal(child.started[0]?.task.webhook_digest, 'new');
    takeOver(store, pushes(500, ['newest', 'new', 'newest'], NOW + 1_500), at(11), WINDOW);
    dispatcher.wake();
    await settle();
    await goOn(5_000);
    assert.deepEqual(units(), ['web.service']);
    const [next, first, ...others] = store.tasks.list({ limit: 9 });
    assert.deepEqual([first?.status, next?.status, others], ['running', 'pending', []]);
    assert.equal(store.deliveries.listByTask(next?.id ?? '').length, 100);
  });

  test('are deployed where the power went within the window', async (t) => {
    const { store, dispatcher, units, goOn } = startWithClock(t);
    // By another process, of which nothing is left but the database.
    takeOver(store, pushes(3, ['a'], NOW), at(1), WINDOW);
    await dispatcher.recover();
    await settle();
    assert.deepEqual(units(), []);
    await goOn(1_000);
    assert.deepEqual(units(), ['web.service']);
  });
});

describe('task dispatcher: a task that waits for its time', () => {
  test('is begun when that has come, and not a millisecond before', async (t) => {
    const { store, dispatcher, units, goOn } = startWithClock(t);
    defer(store, addTask(store, 'a'), NOW + 200);
    dispatcher.wake();
    await settle();
    await goOn(199);
    assert.deepEqual(units(), []);
    await goOn(1);
    assert.deepEqual(units(), ['a']);
  });

  test('is begun when that comes just behind the look', async (t) => {
    const { store, dispatcher, clock, units, goOn } = startWithClock(t);
    defer(store, addTask(store, 'a'), NOW + 200);
    dispatcher.wake();
    await settle();
    // A timer of Node comes up to a millisecond before the wall clock is there.
    const list = store.tasks.listDispatchable;
    t.mock.method(store.tasks, 'listDispatchable', (...asked: Parameters<typeof list>) => {
      const found = list(...asked);
      clock.nowMs = NOW + 200;
      return found;
    });
    clock.nowMs = NOW + 199;
    t.mock.timers.tick(200);
    await settle();
    assert.deepEqual(units(), []);
    await goOn(1);
    assert.deepEqual(units(), ['a']);
  });

  test('is begun when its process has just given it back', async (t) => {
    const { store, dispatcher, child, units, goOn } = startWithClock(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    store.tasks.claim(attemptOf(store.tasks, id), NOW);
    store.tasks.defer(attemptOf(store.tasks, id), NOW + HOUR, NOW);
    child.started[0]?.end('the process exited with 0');
    await settle();
    await goOn(2_000);
    await goOn(HOUR - 2_001);
    assert.deepEqual(units(), ['a']);
    await goOn(1);
    assert.deepEqual(units(), ['a', 'a']);
    assert.equal(findTask(store, id).attempts, 2);
  });

  test('is begun after a start of the worker, too', async (t) => {
    const { store, dispatcher, units, goOn } = startWithClock(t);
    defer(store, addTask(store, 'a'), NOW + 200);
    await dispatcher.recover();
    await settle();
    assert.deepEqual(units(), []);
    await goOn(200);
    assert.deepEqual(units(), ['a']);
  });

  test('holds up no other unit, and those that wait are begun one after the other', async (t) => {
    const { store, dispatcher, succeed, child, units, goOn } = startWithClock(t);
    for (const [unit, ms] of [
      ['a', 300],
      ['b', 200],
    ] as const)
      defer(store, addTask(store, unit), NOW + ms);
    addTask(store, 'c');
    dispatcher.wake();
    await settle();
    assert.deepEqual(units(), ['c']);
    succeed(child.started[0]);
    await settle();
    await goOn(200);
    assert.deepEqual(units(), ['c', 'b']);
    await goOn(100);
    assert.deepEqual(units(), ['c', 'b', 'a']);
  });

  test('waits for a place like any other when its time has come', async (t) => {
    const { store, dispatcher, succeed, child, units, goOn } = startWithClock(t, 1);
    defer(store, addTask(store, 'a'), NOW + 200);
    addTask(store, 'b');
    dispatcher.wake();
    await settle();
    await goOn(200);
    assert.deepEqual(units(), ['b']);
    succeed(child.started[0]);
    await settle();
    assert.deepEqual(units(), ['b', 'a']);
  });

  test('does not begin early where the clock was set back', async (t) => {
    const { store, dispatcher, clock, units, goOn } = startWithClock(t);
    defer(store, addTask(store, 'a'), NOW + 200);
    dispatcher.wake();
    await settle();
    clock.nowMs -= 1_000;
    await goOn(200);
    await goOn(999);
    assert.deepEqual(units(), []);
    await goOn(1);
    assert.deepEqual(units(), ['a']);
  });

  test('begins within the hour where the clock was set forward', async (t) => {
    const { store, dispatcher, clock, units, goOn } = startWithClock(t);
    defer(store, addTask(store, 'a'), NOW + 24 * HOUR);
    dispatcher.wake();
    await settle();
    clock.nowMs += 24 * HOUR;
    await goOn(HOUR - 1);
    assert.deepEqual(units(), []);
    await goOn(1);
    assert.deepEqual(units(), ['a']);
  });

  test('for longer than a timer can wait is not looked at all the time', async (t) => {
    const { store, dispatcher, units, goOn } = startWithClock(t);
    defer(store, addTask(store, 'a'), NOW + 365 * 24 * HOUR);
    const looks = t.mock.method(store.tasks, 'listDispatchable');
    dispatcher.wake();
    await settle();
    for (let hour = 0; hour < 3; hour++) await goOn(HOUR);
    assert.equal(looks.mock.callCount(), 4);
    assert.deepEqual(units(), []);
  });

  test('is not begun after the close, nor waited for', async (t) => {
    const { store, dispatcher, units, goOn } = startWithClock(t);
    defer(store, addTask(store, 'a'), NOW + 200);
    dispatcher.wake();
    await settle();
    const wake = t.mock.method(dispatcher, 'wake');
    dispatcher.close();
    await goOn(200);
    assert.deepEqual([wake.mock.callCount(), units()], [0, []]);
  });

  test('is begun after a pause that was longer', async (t) => {
    const { store, dispatcher, units, goOn } = startWithClock(t);
    defer(store, addTask(store, 'a'), NOW + 200);
    dispatcher.wake();
    await settle();
    dispatcher.pause(() => {});
    await goOn(500);
    assert.deepEqual(units(), []);
    dispatcher.resume();
    await settle();
    assert.deepEqual(units(), ['a']);
  });
});

/** Lets the process of the only task vanish, again and again; how often it was started until the task was closed. */
async function countStarts({
  dispatcher,
  child,
  goOn,
}: ReturnType<typeof startWithClock>): Promise<number> {
  dispatcher.wake();
  await settle();
  for (let seen = 0; child.started.length > seen && seen < 50; ) {
    seen = child.started.length;
    child.started.at(-1)?.end('SIGKILL ended the process');
    await settle();
    await goOn(2_000);
  }
  return child.started.length;
}

function deploymentOf(id: string, stage: DeploymentRow['stage']): DeploymentRow {
  return {
    ...{ task_id: id, unit: 'a', image: 'ghcr.io/o/web:main', wanted_digest: 'sha256:0a' },
    ...{ former_image_id: null, former_digest: null, held_as: null, dependents: '[]' },
    ...{ wanted_image_id: null, restart_unit: null, write_image: null, is_brought: 0 },
    ...{ stage, cause_code: null, cause_detail: null, updated_at: NOW },
  };
}

describe('task dispatcher: a task whose process vanishes again and again', () => {
  for (const [stage, attempts] of [
    ['forward', FORWARD_ATTEMPTS + BACK_ATTEMPTS],
    ['back', FORWARD_ATTEMPTS + BACK_ATTEMPTS],
    ['ended', MAX_ATTEMPTS],
  ] as const)
    test(`is begun ${attempts} times where its deployment is ${stage}`, async (t) => {
      const all = startWithClock(t);
      const id = addTask(all.store, 'a');
      all.store.deployments.save(deploymentOf(id, stage));
      assert.equal(await countStarts(all), attempts);
      assert.equal(findTask(all.store, id).status, 'failed');
    });

  test('gets no more for the open deployment of another task', async (t) => {
    const all = startWithClock(t);
    const other = addTask(all.store, 'b');
    all.store.tasks.finish(attemptOf(all.store.tasks, other), {
      ...{ status: 'failed', summary: 'x', at: NOW },
    });
    all.store.deployments.save(deploymentOf(other, 'forward'));
    addTask(all.store, 'a');
    assert.equal(await countStarts(all), MAX_ATTEMPTS);
  });

  test('gets as many as any other where it had to wait before', async (t) => {
    const all = startWithClock(t);
    const id = addTask(all.store, 'a');
    for (let times = 0; times < 5; times++) defer(all.store, id, NOW);
    assert.equal(await countStarts(all), MAX_ATTEMPTS);
    assert.equal(findTask(all.store, id).attempts, 5 + MAX_ATTEMPTS);
  });
});
