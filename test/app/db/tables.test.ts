import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NewEvent } from '../../../app/db/event-row.ts';
import { TASK_STATUSES } from '../../../app/domain/task.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { deliveryRow as delivery } from '../../helpers/delivery-row.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

function event(over: Partial<NewEvent> = {}): NewEvent {
  return {
    request_id: 'req_1',
    ts: 1,
    method: 'GET',
    path: '/health',
    status: 200,
    action: 'request',
    code: null,
    actor: null,
    remote_address: null,
    duration_us: 5,
    task_id: null,
    meta: null,
    ...over,
  };
}

const GITHUB = { source: 'github' };

describe('the deliveries table', () => {
  test('takes a delivery once', (t) => {
    const { deliveries, tasks } = openTestStore(t, makeTempFolder(t)).store;
    assert.equal(deliveries.insert(delivery()), true);
    assert.equal(deliveries.insert(delivery({ detail: 'changed' })), false);
    tasks.insert(newTask());
    deliveries.setTask('dlv_1', 'tsk_1');
    assert.deepEqual(deliveries.listByTask('tsk_1'), [delivery({ task_id: 'tsk_1' })]);
  });

  test('lists those of a task oldest first, at most 100', (t) => {
    const { deliveries, tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    for (let at = 101; at > 0; at--)
      deliveries.insert(delivery({ id: `dlv_${at}`, received_at: at, task_id: 'tsk_1' }));
    const times = deliveries.listByTask('tsk_1').map((row) => row.received_at);
    assert.deepEqual(
      times,
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
  });

  const LIVE = ['pending', 'running', 'succeeded', 'skipped'];
  for (const status of TASK_STATUSES)
    test(`a delivery whose task is ${status} ${LIVE.includes(status) ? 'is' : 'is not'} live`, (t) => {
      const { deliveries, tasks } = openTestStore(t, makeTempFolder(t)).store;
      tasks.insert(newTask());
      deliveries.insert(delivery({ task_id: 'tsk_1' }));
      if (status !== 'pending') tasks.markDispatched('tsk_1', 'child', 2);
      tasks.setEvidence(attemptOf(tasks, 'tsk_1'), { running_digest: 'sha256:0' }, 2);
      if (status !== 'pending' && status !== 'running')
        tasks.finish(attemptOf(tasks, 'tsk_1'), { status, summary: 'x', at: 3 });
      assert.equal(tasks.find('tsk_1')?.status, status);
      const live = LIVE.includes(status) ? { id: 'dlv_1' } : undefined;
      assert.deepEqual(deliveries.findLive(GITHUB, 'guid', 'web.service'), live);
    });

  test('a delivery whose image was held back, and does not run, may be sent again', (t) => {
    const { deliveries, tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    deliveries.insert(delivery({ task_id: 'tsk_1' }));
    tasks.markDispatched('tsk_1', 'child', 2);
    tasks.finish(attemptOf(tasks, 'tsk_1'), { status: 'skipped', summary: 'x', at: 3 });
    assert.equal(deliveries.findLive(GITHUB, 'guid', 'web.service'), undefined);
  });

  test('what made no task, is of another source or has another GUID is not live', (t) => {
    const { deliveries, tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    deliveries.insert(delivery({ id: 'dlv_1', delivery: 'without' }));
    deliveries.insert(
      delivery({ id: 'dlv_2', delivery: 'twice', verdict: 'duplicate', task_id: 'tsk_1' }),
    );
    deliveries.insert(
      delivery({ id: 'dlv_3', delivery: 'foreign', source: 'other', task_id: 'tsk_1' }),
    );
    for (const guid of ['without', 'twice', 'foreign', 'unheard-of'])
      assert.equal(deliveries.findLive(GITHUB, guid, 'web.service'), undefined, guid);
  });

  test('a GUID is known by its unit too, for GitHub sends one to every hook', (t) => {
    const { deliveries, tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    deliveries.insert(delivery({ task_id: 'tsk_1' }));
    assert.ok(deliveries.findLive(GITHUB, 'guid', 'web.service'));
    assert.equal(deliveries.findLive(GITHUB, 'guid', 'worker.service'), undefined);
  });

  test("an id is that of its hook: neither of another one, nor of the path that is a unit's own", (t) => {
    const { deliveries, tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    deliveries.insert(delivery({ task_id: 'tsk_1', hook: 'forge' }));
    const find = (hook?: string) =>
      deliveries.findLive({ source: 'github', hook }, 'guid', 'web.service');
    assert.deepEqual(find('forge'), { id: 'dlv_1' });
    assert.equal(find('other'), undefined);
    assert.equal(find(), undefined);
    deliveries.insert(delivery({ id: 'dlv_2', task_id: 'tsk_1' }));
    assert.deepEqual(find(), { id: 'dlv_2' });
  });

  test('a GUID is live again when a redelivery made a new task', (t) => {
    const { deliveries, tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    deliveries.insert(delivery({ task_id: 'tsk_1' }));
    tasks.finish(attemptOf(tasks, 'tsk_1'), { status: 'failed', summary: 'x', at: 2 });
    tasks.insert(newTask({ id: 'tsk_2' }));
    deliveries.insert(delivery({ id: 'dlv_2', task_id: 'tsk_2' }));
    assert.deepEqual(deliveries.findLive(GITHUB, 'guid', 'web.service'), { id: 'dlv_2' });
  });

  test('refuses what the schema forbids instead of taking it for known', (t) => {
    const { deliveries } = openTestStore(t, makeTempFolder(t)).store;
    assert.throws(() => deliveries.insert(delivery({ verdict: 'held' })), /CHECK/);
    const nowhere = { path: null as unknown as string };
    assert.throws(() => deliveries.insert(delivery(nowhere)), /NOT NULL/);
  });

  test('cannot name a task that is not there', (t) => {
    const { deliveries } = openTestStore(t, makeTempFolder(t)).store;
    assert.throws(() => deliveries.insert(delivery({ task_id: 'tsk_none' })), /FOREIGN KEY/);
  });
});

describe('the events table', () => {
  test('lists newest first, page by page, without a gap or a repeat', (t) => {
    const { events } = openTestStore(t, makeTempFolder(t)).store;
    events.insertAll(Array.from({ length: 25 }, (_, index) => event({ ts: index })));
    const seen: number[] = [];
    for (let page = events.list({ limit: 10 }).rows; page.length > 0; ) {
      seen.push(...page.map((row) => row.ts));
      page = events.list({ limit: 10, before: page.at(-1)?.id ?? 0 }).rows;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 25 }, (_, index) => 24 - index),
    );
  });

  const FILTERS = [
    ['action', { action: 'webhook' }],
    ['request', { requestId: 'req_2' }],
    ['all of them', { action: 'webhook', requestId: 'req_2' }],
  ] as const;
  for (const [title, filter] of FILTERS)
    test(`can be narrowed to one ${title}`, (t) => {
      const { events } = openTestStore(t, makeTempFolder(t)).store;
      const wanted = event({
        action: 'webhook',
        request_id: 'req_2',
        meta: '{}',
      });
      events.insertAll([event(), wanted, event()]);
      const [{ hash, ...found } = { hash: null }, ...rest] = events.list({
        limit: 9,
        ...filter,
      }).rows;
      assert.deepEqual([found, rest, hash?.length], [{ ...wanted, id: 2 }, [], 32]);
    });

  test('takes all of a batch or nothing', (t) => {
    const { events } = openTestStore(t, makeTempFolder(t)).store;
    const broken = { ...event(), path: null } as unknown as NewEvent;
    assert.throws(() => events.insertAll([event(), broken]), /NOT NULL/);
    assert.deepEqual(events.list({ limit: 9 }).rows, []);
  });
});

describe('the log of a task', () => {
  test('is kept in the order in which it was written, whatever the clock said', (t) => {
    const { taskLogs, tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    tasks.insert(newTask({ id: 'tsk_2' }));
    const entry = { task_id: 'tsk_1', level: 'info', action: 'a', meta: null } as const;
    taskLogs.append({ ...entry, ts: 9, summary: 'first' });
    taskLogs.append({ ...entry, ts: 8, summary: 'of another', task_id: 'tsk_2' });
    taskLogs.append({ ...entry, ts: 7, summary: 'second' });
    assert.deepEqual(
      taskLogs.listByTask('tsk_1').map((row) => row.summary),
      ['first', 'second'],
    );
  });
});

test('a segment is consumed from 0, moves on, and is forgotten', (t) => {
  const { segments } = openTestStore(t, makeTempFolder(t)).store;
  assert.equal(segments.consumedBytes('a.spool'), 0);
  segments.setConsumed('a.spool', 10);
  segments.setConsumed('b.spool', 5);
  segments.setConsumed('a.spool', 20);
  assert.equal(segments.consumedBytes('a.spool'), 20);
  segments.forget('a.spool');
  assert.deepEqual([segments.consumedBytes('a.spool'), segments.consumedBytes('b.spool')], [0, 5]);
});
