import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { takeOver } from '../../../app/intake/take-over.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { spoolEntry } from '../../helpers/spool.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const AT = { segment: 'a.spool', end: 100 };
const RULES = { windowMs: 1_000 };
const IMAGE = 'ghcr.io/o/web:main';

test('an accepted delivery becomes a task that names it, and the position moves on', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const verdict = { verdict: 'accepted', matched: 'tag', image: IMAGE, digest: 'd' } as const;
  assert.equal(takeOver(store, [spoolEntry({ verdict }, '{"a":1}')], AT, RULES), 1);
  const [task] = store.tasks.list({ limit: 9 });
  assert.equal(task?.status, 'pending');
  assert.deepEqual(
    [task?.unit, task?.image, task?.webhook_digest, task?.created_at, task?.trigger_caller],
    ['web.service', IMAGE, 'd', 1_000, 'github:guid of dlv_1'],
  );
  const [row] = store.deliveries.listByTask(task?.id ?? '');
  assert.deepEqual([row?.id, row?.verdict, row?.body_bytes], ['dlv_1', 'accepted', 7]);
  assert.equal(row?.body_sha256, createHash('sha256').update('{"a":1}').digest('hex'));
  const actions = store.taskLogs.listByTask(task?.id ?? '').map(({ action }) => action);
  assert.deepEqual(actions, ['task-created']);
  assert.equal(store.segments.consumedBytes('a.spool'), 100);
});

test('a delivery of a hook says so in its row and in its task, and where its body is', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const hook = { name: 'forge', secret: 'sec_1', isUnsigned: true };
  const understood = { action: 'push', image: 'ghcr.io/o/web', tags: ['main'], images: 1 };
  const first = spoolEntry({ hook, understood, headers: { 'x-event': 'push' } }, '{"a":1}');
  const body = { bytes: 7, sha256: 'of the first' };
  const second = spoolEntry(
    { id: 'dlv_2', unit: 'api.service', hook, reception: 'dlv_1', body },
    '',
  );
  assert.equal(takeOver(store, [first, second], AT, RULES), 2);
  const tasks = store.tasks.list({ limit: 9 });
  assert.deepEqual(tasks.map(({ unit, trigger_caller }) => [unit, trigger_caller]).sort(), [
    ['api.service', 'hook:forge'],
    ['web.service', 'hook:forge'],
  ]);
  const rows = tasks.flatMap(({ id }) => store.deliveries.listByTask(id));
  const [one, other] = rows.sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual([one?.hook, one?.reception, one?.needs_proof], ['forge', 'dlv_1', 1]);
  assert.deepEqual(JSON.parse(one?.understood ?? ''), understood);
  assert.equal(one?.headers, '{"x-event":"push"}');
  assert.deepEqual(
    [other?.reception, other?.body_bytes, other?.body_sha256],
    ['dlv_1', 7, 'of the first'],
  );
});

test('a record of an earlier version is taken over as it was then', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  takeOver(store, [spoolEntry()], AT, RULES);
  const [task] = store.tasks.list({ limit: 9 });
  const [row] = store.deliveries.listByTask(task?.id ?? '');
  assert.deepEqual(
    [row?.hook, row?.reception, row?.headers, row?.understood, row?.needs_proof],
    [null, 'dlv_1', null, null, 0],
  );
});

test('taking over again changes nothing', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const entries = [spoolEntry({ id: 'dlv_1' }), spoolEntry({ id: 'dlv_2' })];
  takeOver(store, entries, AT, RULES);
  const [task] = store.tasks.list({ limit: 9 });
  const state = () => [
    store.tasks.list({ limit: 9 }),
    store.deliveries.listByTask(task?.id ?? ''),
    store.taskLogs.listByTask(task?.id ?? ''),
  ];
  const before = state();
  assert.equal(takeOver(store, entries, AT, RULES), 0);
  assert.deepEqual(state(), before);
});

test('taking over again after the task has ended begins no second one', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  takeOver(store, [spoolEntry()], AT, RULES);
  const [task] = store.tasks.list({ limit: 9 });
  store.tasks.finish(attemptOf(store.tasks, task?.id ?? ''), {
    status: 'failed',
    summary: 'x',
    at: 2,
  });
  assert.equal(takeOver(store, [spoolEntry()], AT, RULES), 0);
  assert.equal(store.tasks.list({ limit: 9 }).length, 1);
});

test('deliveries for the same unit and image share a task that has not begun; the newest digest wins', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const burst = Array.from({ length: 20 }, (_, index) =>
    spoolEntry({
      id: `dlv_${index}`,
      receivedAt: index,
      verdict: { verdict: 'accepted', matched: 'tag', image: IMAGE, digest: `d${index}` },
    }),
  );
  assert.equal(takeOver(store, burst, AT, RULES), 1);
  const [task, ...others] = store.tasks.list({ limit: 9 });
  assert.equal(others.length, 0);
  assert.equal(task?.webhook_digest, 'd19');
  assert.equal(store.deliveries.listByTask(task?.id ?? '').length, 20);
  const actions = store.taskLogs.listByTask(task?.id ?? '').map(({ action }) => action);
  assert.deepEqual(actions, ['task-created', ...Array(19).fill('delivery-joined')]);
});

test('the log of a task says which digest each newer push has superseded', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const push = (id: string, digest?: string) =>
    spoolEntry({
      id,
      verdict: { verdict: 'accepted', matched: 'tag', image: IMAGE, ...(digest && { digest }) },
    });
  takeOver(store, [push('dlv_1', 'sha256:a'), push('dlv_2', 'sha256:b')], AT, RULES);
  // In a later batch what was announced before is known from the database.
  const later = [push('dlv_3', 'sha256:b'), push('dlv_4'), push('dlv_5', 'sha256:c')];
  takeOver(store, [...later, push('dlv_6', 'sha256:d')], AT, RULES);
  const [task] = store.tasks.list({ limit: 9 });
  const said = store.taskLogs.listByTask(task?.id ?? '').map(({ summary }) => summary);
  const both = 'one deployment answers both.';
  assert.deepEqual(said, [
    'Delivery guid of dlv_1 asked for it.',
    'Delivery guid of dlv_2 joined: sha256:a is superseded by sha256:b.',
    `Delivery guid of dlv_3 joined: ${both}`,
    `Delivery guid of dlv_4 joined: ${both}`,
    'Delivery guid of dlv_5 joined: sha256:b is superseded by sha256:c.',
    'Delivery guid of dlv_6 joined: sha256:c is superseded by sha256:d.',
  ]);
  assert.equal(task?.webhook_digest, 'sha256:d');
});

test('a task that runs is not joined: what was pushed after it looked needs another one', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  takeOver(store, [spoolEntry({ id: 'dlv_1' })], AT, RULES);
  store.tasks.markDispatched(store.tasks.listDispatchable(1, Date.now())[0]?.id ?? '', 'child', 2);
  assert.equal(takeOver(store, [spoolEntry({ id: 'dlv_2' })], AT, RULES), 1);
});

test('the task of a push begins when the window of its first delivery is over, however many follow', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const many = (from: number) =>
    Array.from({ length: 250 }, (_, index) =>
      spoolEntry({
        ...{ id: `dlv_${from + index}`, receivedAt: 1_000 + from + index },
        verdict: { verdict: 'accepted', matched: 'tag', image: IMAGE, digest: `d${index % 2}` },
      }),
    );
  assert.equal(takeOver(store, many(0), AT, RULES), 1);
  assert.equal(takeOver(store, many(250), AT, RULES), 0);
  const [task, ...others] = store.tasks.list({ limit: 9 });
  assert.deepEqual([others.length, task?.not_before, task?.webhook_digest], [0, 2_000, 'd1']);
  assert.deepEqual(store.tasks.listDispatchable(9, 1_999), []);
  assert.deepEqual(
    store.tasks.listDispatchable(9, 2_000).map(({ id }) => id),
    [task?.id],
  );
});

test('a clock that was ahead when a delivery came keeps its task no longer than the window', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const before = Date.now();
  takeOver(store, [spoolEntry({ receivedAt: before + 3_600_000 })], AT, RULES);
  const until = store.tasks.list({ limit: 1 })[0]?.not_before ?? 0;
  assert.ok(until >= before + 1_000 && until <= Date.now() + 1_000, String(until - before));
});

test('another unit, another image, and an image that is not known each get a task', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const verdict = { verdict: 'accepted', matched: 'repository' } as const;
  const entries = [
    spoolEntry({ id: 'dlv_1' }),
    spoolEntry({ id: 'dlv_2', unit: 'db.service' }),
    spoolEntry({ id: 'dlv_3', verdict: { ...verdict, image: 'ghcr.io/o/web:next' } }),
    spoolEntry({ id: 'dlv_4', verdict }),
    spoolEntry({ id: 'dlv_5', verdict }),
  ];
  assert.equal(takeOver(store, entries, AT, RULES), 4);
  assert.equal(store.tasks.list({ limit: 9 }).filter(({ image }) => image === null).length, 1);
});

for (const verdict of ['ignored', 'duplicate', 'ping'] as const)
  test(`a delivery that is ${verdict} is recorded and makes no task`, (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const said = { verdict, reason: 'untagged-child', detail: 'Seen.' };
    assert.equal(takeOver(store, [spoolEntry({ verdict: said })], AT, RULES), 0);
    assert.deepEqual(store.tasks.list({ limit: 9 }), []);
    assert.equal(store.segments.consumedBytes('a.spool'), 100);
    // Recorded: the same id is not taken a second time, whatever it says.
    assert.equal(takeOver(store, [spoolEntry()], AT, RULES), 0);
  });

test('one entry that cannot be taken over leaves all of the batch and the position as they were', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const broken = spoolEntry({ id: 'dlv_2', unit: null as unknown as string });
  assert.throws(() => takeOver(store, [spoolEntry(), broken], AT, RULES), /NOT NULL/);
  assert.deepEqual(store.tasks.list({ limit: 9 }), []);
  assert.equal(store.segments.consumedBytes('a.spool'), 0);
});
