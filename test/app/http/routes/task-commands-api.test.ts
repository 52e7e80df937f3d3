import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../../../app/db/store.ts';
import { attemptOf } from '../../../helpers/attempt-of.ts';
import { addTask, logOf } from '../../tasks/task-fixture.ts';
import { ask, startApp, TOKEN } from '../http-fixture.ts';

function post(port: number, path: string, body?: unknown) {
  return ask(port, {
    method: 'POST',
    path,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

function end(store: Store, id: string): void {
  const failed = { status: 'failed', summary: 'No.', errorCode: 'PULL_FAILED', at: 2 } as const;
  assert.ok(store.tasks.finish(attemptOf(store.tasks, id), failed));
}

type Made = { readonly batch_id: string; readonly tasks: { unit: string; task_id: string }[] };

describe('POST /api/tasks', () => {
  for (const kind of ['prune', 'backup']) {
    test(`has what keeps the state in order done: ${kind}`, async (t) => {
      const { port, store, told } = await startApp(t);
      const { status, json } = await post(port, '/api/tasks', { kind, reason: 'tidy' });
      const [made] = (json as Pick<Made, 'tasks'>).tasks;
      assert.deepEqual([status, made?.unit, told], [202, 'pod-upgrade-trigger', ['wake']]);
      const task = store.tasks.find(made?.task_id ?? '');
      assert.deepEqual(
        [task?.kind, JSON.parse(task?.input ?? '{}').maintenance, task?.trigger_reason],
        ['maintenance', kind, 'tidy'],
      );
      // While it has not ended it is that one.
      const again = await post(port, '/api/tasks', { kind });
      assert.equal((again.json as Made).tasks[0]?.task_id, made?.task_id);
    });
  }

  test('of a kind that does not run is refused, and of maintenance with units, too', async (t) => {
    const { port, store } = await startApp(t);
    for (const body of [{ kind: 'scheduler' }, { kind: 'prune', units: ['web'] }, {}]) {
      const { status, json } = await post(port, '/api/tasks', body);
      assert.deepEqual([status, json['code']], [400, 'REQUEST_INVALID']);
    }
    assert.deepEqual(store.tasks.listDispatchable(9, Date.now()), []);
  });

  test('makes one task for each unit, of one batch, and each counts all of them', async (t) => {
    const { port, store, told } = await startApp(t);
    const units = ['web', 'twin.service', 'web.service'];
    const answer = await post(port, '/api/tasks', { kind: 'deploy', units, reason: 'why' });
    assert.equal(answer.status, 202, answer.text);
    const { batch_id, tasks } = answer.json as Made;
    assert.deepEqual(
      tasks.map(({ unit }) => unit),
      ['web.service', 'twin.service'],
    );
    assert.deepEqual(told, ['wake']);
    const [first = '', second = ''] = tasks.map(({ task_id }) => task_id);
    store.tasks.markDispatched(first, 'child', 5);
    const other = await post(port, '/api/tasks', { kind: 'deploy', units: ['other'] });
    const { tasks: others } = other.json as Made;
    const all = await ask(port, {
      path: '/api/tasks',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const totals = (all.json['tasks'] as Record<string, { total: number }>[]).map(
      (row) => [String(row['task_id']), row['unit_counts']?.total] as const,
    );
    const expected = [
      [first, 2],
      [second, 2],
      [others[0]?.task_id, 1],
    ] as const;
    assert.deepEqual(new Map(totals), new Map(expected));
    const listed = await ask(port, {
      path: `/api/tasks?batch=${batch_id}`,
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const rows = listed.json['tasks'] as Record<string, unknown>[];
    assert.deepEqual(rows.map((row) => row['task_id']).sort(), [first, second].sort());
    for (const row of rows) {
      assert.deepEqual(row['unit_counts'], {
        ...{ total: 2, pending: 1, running: 1, succeeded: 0, failed: 0 },
        ...{ cancelled: 0, skipped: 0, unknown: 0, anomaly: 0 },
      });
    }
    const row = store.tasks.find(second);
    assert.deepEqual(
      [row?.kind, row?.trigger_reason, row?.trigger_path, row?.image, row?.input],
      [
        ...['manual', 'why', '/api/tasks', 'ghcr.io/octo-org/hello'],
        '{"unit":"twin.service","version":null,"image":"ghcr.io/octo-org/hello"}',
      ],
    );
  });

  test('takes a version where one unit is named', async (t) => {
    const { port, store } = await startApp(t);
    const body = { kind: 'deploy', units: ['web'], version: ':1.4' };
    const { json } = await post(port, '/api/tasks', body);
    assert.equal(store.tasks.find((json as Made).tasks[0]?.task_id ?? '')?.wanted, ':1.4');
  });

  test('makes nothing where one unit is not known', async (t) => {
    const { port, store, told } = await startApp(t);
    const body = { kind: 'deploy', units: ['web', 'pinned', 'twin'] };
    const answer = await post(port, '/api/tasks', body);
    assert.deepEqual([answer.status, answer.json['code']], [404, 'UNIT_NOT_CONFIGURED']);
    assert.equal(answer.json['detail'], 'pinned.');
    assert.deepEqual([store.tasks.list({ limit: 9 }), told], [[], []]);
  });

  for (const [body, field] of [
    [{ kind: 'deploy', units: [] }, /^units: /],
    [{ kind: 'deploy' }, /^units: /],
    [{ kind: 'scheduler', units: ['web'] }, /^kind: /],
    [{ units: ['web'] }, /^kind: /],
    [{ kind: 'deploy', units: ['web', 'twin'], version: '1' }, /^version: .* one unit/],
    [{ kind: 'deploy', units: ['web'], dry_run: true }, /dry_run/],
    [{ kind: 'deploy', units: Array.from({ length: 501 }, () => 'web') }, /^units: /],
    [undefined, /^kind: /],
  ] as const) {
    test(`refuses ${JSON.stringify(body)?.slice(0, 60)}, and names the field`, async (t) => {
      const { port, store } = await startApp(t);
      const answer = await post(port, '/api/tasks', body);
      assert.deepEqual([answer.status, answer.json['code']], [400, 'REQUEST_INVALID']);
      assert.match(String(answer.json['detail']), field);
      assert.equal(store.tasks.list({ limit: 9 }).length, 0);
    });
  }
});

describe('POST /api/tasks/ID/stop', () => {
  test('is asked for again without harm, and says that a task has ended', async (t) => {
    const { port, store, told } = await startApp(t);
    const id = addTask(store, 'web.service');
    store.tasks.markDispatched(id, 'child', 1);
    for (const _ of [1, 2]) {
      const { status, json } = await post(port, `/api/tasks/${id}/stop`);
      assert.deepEqual([status, json['status'], json['task_id']], [202, 'running', id]);
    }
    assert.deepEqual(told, [id, id]);
    end(store, id);
    const late = await post(port, `/api/tasks/${id}/stop`);
    assert.deepEqual([late.status, late.json['code']], [409, 'TASK_ENDED']);
    const none = await post(port, '/api/tasks/tsk_0000000000000000000/stop');
    assert.deepEqual([none.status, none.json['code']], [404, 'TASK_NOT_FOUND']);
  });
});

describe('POST /api/tasks/ID/force-stop', () => {
  test('closes the task, then has its processes killed, and may be asked for again', async (t) => {
    const { port, store, told } = await startApp(t, { settings: { sshTarget: 'ssh://core@host' } });
    const id = addTask(store, 'web.service');
    store.tasks.markDispatched(id, 'child', 1);
    for (const _ of [1, 2]) {
      const { status, json } = await post(port, `/api/tasks/${id}/force-stop`);
      assert.deepEqual([status, json['status']], [202, 'cancelled']);
      assert.equal((json['error'] as { code: string }).code, 'TASK_FORCE_STOPPED');
      assert.match(String(json['summary']), /at ssh:\/\/core@host ends with its connection/);
      assert.equal(
        (json['stop'] as { forced_by: string }).forced_by,
        'token:PODUP_TOKEN at 127.0.0.1',
      );
      assert.deepEqual([json['can_force_stop'], json['can_retry']], [false, true]);
    }
    assert.deepEqual(told, [`kill ${id}`, `kill ${id}`]);
  });

  test('says so where something is left of them', async (t) => {
    const failure = { code: 'TASK_NOT_KILLED', detail: 'Still there: 1.' } as const;
    const { port, store } = await startApp(t, { killed: { ok: false, failure } });
    const id = addTask(store, 'web.service');
    store.tasks.markDispatched(id, 'child', 1);
    const answer = await post(port, `/api/tasks/${id}/force-stop`);
    assert.deepEqual([answer.status, answer.json['code']], [502, 'TASK_NOT_KILLED']);
    assert.equal(answer.json['detail'], 'Still there: 1.');
    assert.equal(store.tasks.find(id)?.status, 'cancelled');
  });

  test('is refused once the task has ended, and kills nothing', async (t) => {
    const { port, store, told } = await startApp(t);
    const id = addTask(store, 'web.service');
    end(store, id);
    const answer = await post(port, `/api/tasks/${id}/force-stop`);
    assert.deepEqual([answer.status, answer.json['code']], [409, 'TASK_ENDED']);
    const none = await post(port, '/api/tasks/tsk_0000000000000000000/force-stop');
    assert.deepEqual([none.status, none.json['code']], [404, 'TASK_NOT_FOUND']);
    assert.deepEqual(told, []);
  });
});

describe('POST /api/tasks/ID/retry', () => {
  test('makes a new task of the same wish, and both tell of each other', async (t) => {
    const { port, store, told } = await startApp(t);
    const id = addTask(store, 'web.service', 'ghcr.io/octo-org/hello:main');
    store.tasks.markDispatched(id, 'child', 1);
    end(store, id);
    const answer = await post(port, `/api/tasks/${id}/retry`, { reason: 'the network is back' });
    assert.equal(answer.status, 202, answer.text);
    const {
      task_id: again,
      kind,
      status,
      retry_of,
      trigger,
      image,
    } = answer.json as Record<string, unknown> & { task_id: string };
    assert.notEqual(again, id);
    assert.deepEqual(
      [kind, status, retry_of, image],
      ['manual', 'pending', id, 'ghcr.io/octo-org/hello:main'],
    );
    assert.deepEqual(trigger, {
      source: 'manual',
      request_id: answer.headers['x-request-id'],
      path: `/api/tasks/${id}/retry`,
      caller: 'token:PODUP_TOKEN at 127.0.0.1',
      reason: 'the network is back',
    });
    assert.deepEqual(told, ['wake']);
    assert.deepEqual(logOf(store, again), ['task-created']);
    assert.deepEqual(logOf(store, id), ['task-retried']);
    const { json } = await ask(port, {
      path: `/api/tasks/${id}`,
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.deepEqual(json['retried_as'], [again]);
  });

  test('brings the version that was chosen, without the plan', async (t) => {
    const { port, store } = await startApp(t);
    const id = addTask(store, 'web.service');
    const row = store.tasks.find(id);
    assert.ok(row);
    const planned = 'tsk_zzzzzzzzzzzzzzzzzzz';
    store.tasks.insert({ ...row, id: planned, wanted: 'sha256:ab', plan: '{}' });
    end(store, planned);
    const { json } = await post(port, `/api/tasks/${planned}/retry`);
    const again = store.tasks.find(String(json['task_id']));
    assert.deepEqual([again?.wanted, again?.plan], ['sha256:ab', null]);
  });

  test('again is the same one while it waits, and another one after that', async (t) => {
    const { port, store } = await startApp(t);
    const id = addTask(store, 'web.service');
    end(store, id);
    const retry = async () => String((await post(port, `/api/tasks/${id}/retry`)).json['task_id']);
    const first = await retry();
    assert.equal(await retry(), first);
    assert.deepEqual(logOf(store, id), ['task-retried']);
    store.tasks.markDispatched(first, 'child', 1);
    assert.notEqual(await retry(), first);
  });

  test('is refused while the task is open', async (t) => {
    const { port, store } = await startApp(t);
    const id = addTask(store, 'web.service');
    const answer = await post(port, `/api/tasks/${id}/retry`);
    assert.deepEqual([answer.status, answer.json['code']], [409, 'TASK_NOT_ENDED']);
  });

  test('is refused for a unit that is not deployed here any more', async (t) => {
    const { port, store } = await startApp(t);
    const id = addTask(store, 'gone.service');
    end(store, id);
    const answer = await post(port, `/api/tasks/${id}/retry`);
    assert.deepEqual([answer.status, answer.json['code']], [404, 'UNIT_NOT_CONFIGURED']);
  });

  test('is refused for what another program did', async (t) => {
    const { port, store } = await startApp(t);
    const id = 'tsk_zzzzzzzzzzzzzzzzzzz';
    store.tasks.insertFinal({
      ...{ id, kind: 'self-update', status: 'failed', unit: 'web.service', created_at: 1 },
      ...{ started_at: 1, finished_at: 2, summary: 'x', error_code: null, error_detail: null },
      ...{ trigger_source: 'self-update-runner', trigger_request_id: null, trigger_path: null },
      ...{ trigger_caller: null, trigger_reason: null },
    });
    const answer = await post(port, `/api/tasks/${id}/retry`);
    assert.deepEqual([answer.status, answer.json['code']], [409, 'TASK_NOT_REPEATABLE']);
    const none = await post(port, '/api/tasks/tsk_0000000000000000000/retry');
    assert.deepEqual([none.status, none.json['code']], [404, 'TASK_NOT_FOUND']);
  });
});

describe('commands to tasks', () => {
  for (const name of ['stop', 'force-stop', 'retry']) {
    test(`${name} is for admins, and takes POST only`, async (t) => {
      const { port, store } = await startApp(t);
      const path = `/api/tasks/${addTask(store, 'web.service')}/${name}`;
      assert.equal((await ask(port, { method: 'POST', path })).status, 401);
      const headers = { authorization: `Bearer ${TOKEN}` };
      const answer = await ask(port, { path, headers });
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'POST']);
    });
  }
});
