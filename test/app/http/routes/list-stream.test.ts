import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { viewStatus } from '../../../../app/updates/view-self-update.ts';
import { newTask } from '../../../helpers/store.ts';
import { updateStatus } from '../../updates/update-fixture.ts';
import { ask, TOKEN } from '../http-fixture.ts';
import { type Heard, listen } from '../sse-listener.ts';
import { beginTask, finish, startLive, TASK } from './live-fixture.ts';

const PATH = '/sse/events';

const dataOf = (heard: Heard | undefined) => JSON.parse(heard?.data ?? 'null');

const EVENT = {
  ...{ request_id: 'req_1', ts: 1, method: 'GET', path: '/', status: 200, action: 'x' },
  ...{ code: null, actor: null, remote_address: null, duration_us: 1, meta: null, task_id: null },
};

describe('GET /sse/events', () => {
  test('says at once how it stands', async (t) => {
    const { port, store } = await startLive(t);
    beginTask(store);
    store.tasks.insert(newTask({ id: 'tsk_2' }));
    store.quarantine.add({
      ...{ unit: 'web.service', digest: 'sha256:1', image: 'i', image_id: null, at: 1 },
      ...{ code: 'GATE_PROBE_FAILED', detail: '', expires_at: null },
    });
    const heard = await (await listen(t, port, PATH)).hear(3);
    assert.deepEqual(
      heard.map(({ event, id }) => [event, id]),
      [
        ['badges', undefined],
        ['self-update', undefined],
        ['events', '4.0'],
      ],
    );
    assert.deepEqual(heard.map(dataOf), [
      { pending: 1, running: 1, quarantined: 1 },
      viewStatus(updateStatus()),
      { newest_id: 0 },
    ]);
  });

  test('tells each change of a task, with the numbers, whoever made it', async (t) => {
    const { port, store, other } = await startLive(t);
    beginTask(store);
    const listener = await listen(t, port, PATH);
    await listener.hear(3);
    finish(other);
    const task = await listener.hearOf('task');
    assert.deepEqual(
      [task.id, dataOf(task).task_id, dataOf(task).status],
      ['4.0', TASK, 'succeeded'],
    );
    const badges = (await listener.hear(5)).findLast(({ event }) => event === 'badges');
    assert.deepEqual(dataOf(badges), { pending: 0, running: 0, quarantined: 0 });
  });

  test('tells that there are new events, and each change of an update', async (t) => {
    const { port, other, fake } = await startLive(t);
    const listener = await listen(t, port, PATH);
    await listener.hear(3);
    other.events.insertAll([EVENT, EVENT]);
    await listener.hear(4);
    const { id, data } = listener.events().at(-1) ?? {};
    assert.deepEqual([id, data], ['0.2', '{"newest_id":2}']);
    fake.say(updateStatus({ change: 7 }));
    const update = (await listener.hear(5)).at(-1);
    assert.deepEqual(
      [update?.event, update?.data],
      ['self-update', JSON.stringify(viewStatus(updateStatus({ change: 7 })))],
    );
  });

  test('tells that health is another one', async (t) => {
    const { port, changeHealth } = await startLive(t);
    const listener = await listen(t, port, PATH);
    await listener.hear(3);
    changeHealth();
    const told = (await listener.hear(4)).at(-1);
    assert.deepEqual([told?.event, told?.data, told?.id], ['attention', '{}', undefined]);
  });

  test('who comes again hears what has changed since, each task once, as it is now', async (t) => {
    const { port, store } = await startLive(t);
    beginTask(store);
    store.tasks.insert(newTask({ id: 'tsk_2' }));
    store.tasks.setPhase({ id: TASK, attempts: 1 }, 'restarting', 5);
    finish(store);
    const heard = await (await listen(t, port, PATH, '3.0')).hear(5);
    assert.deepEqual(
      heard.slice(0, 2).map((one) => [one.id, dataOf(one).task_id, dataOf(one).status]),
      [
        ['4.0', 'tsk_2', 'pending'],
        ['6.0', TASK, 'succeeded'],
      ],
    );
  });

  test('who comes again too late has to ask anew', async (t) => {
    const { port, store } = await startLive(t);
    beginTask(store);
    store.transact(() => {
      for (let at = 0; at < 10_010; at++) {
        store.tasks.setPhase({ id: TASK, attempts: 1 }, 'restarting', at);
      }
    });
    const late = await (await listen(t, port, PATH, '5.0')).hear(4);
    assert.equal(late[0]?.event, 'reset');
    const early = await (await listen(t, port, PATH, '14.0')).hear(4);
    assert.equal(early[0]?.event, 'task');
    // Of another database, or of one that was taken back.
    const strange = await (await listen(t, port, PATH, '999999.0')).hear(4);
    assert.equal(strange[0]?.event, 'reset');
  });

  test('is refused with the reason', async (t) => {
    const { port } = await startLive(t);
    const open = await ask(port, { path: PATH });
    assert.deepEqual([open.status, open.json['code']], [401, 'ADMIN_TOKEN_MISSING']);
    for (const id of ['7', 'x.y', '1.2.3']) {
      const headers = { authorization: `Bearer ${TOKEN}`, 'last-event-id': id };
      const bad = await ask(port, { path: PATH, headers });
      assert.deepEqual([bad.status, bad.json['code']], [400, 'REQUEST_INVALID']);
    }
  });
});
