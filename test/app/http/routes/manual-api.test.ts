import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ask, TOKEN } from '../http-fixture.ts';
import { startManual } from './manual-fixture.ts';

const SELECTING = ['/api/manual/trigger', '/api/manual/deploy'] as const;
const ALL = [
  ...SELECTING,
  '/api/manual/services/web',
  '/api/manual/services/web.service/upgrade',
  '/api/manual/auto-update/run',
] as const;

type Made = { readonly unit: string; readonly status: string; readonly task_id: string | null };

const inputOf = (input: string | null) => JSON.parse(input ?? '{}') as Record<string, unknown>;

describe('the manual API', () => {
  for (const path of ALL) {
    test(`takes nothing but POST: ${path}`, async (t) => {
      const { port, listTasks } = await startManual(t);
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']) {
        const { status, headers } = await ask(port, { method, path });
        assert.deepEqual([status, headers.allow], [405, 'POST'], method);
      }
      assert.deepEqual(listTasks(), []);
    });

    test(`is for admins: ${path}`, async (t) => {
      const { post, port, listTasks } = await startManual(t);
      const body = { all: true };
      const none = await ask(port, { method: 'POST', path });
      assert.deepEqual([none.status, none.json['code']], [401, 'ADMIN_TOKEN_MISSING']);
      const wrong = await post(path, body, { authorization: 'Bearer nobody-knows' });
      assert.deepEqual([wrong.status, wrong.json['code']], [401, 'ADMIN_TOKEN_INVALID']);
      assert.deepEqual(listTasks(), []);
    });

    test(`names the field that it does not know, or that is of another type: ${path}`, async (t) => {
      const { post, listTasks } = await startManual(t);
      const unknown = await post(path, { nonsense: 1 });
      assert.deepEqual([unknown.status, unknown.json['code']], [400, 'REQUEST_INVALID']);
      assert.match(String(unknown.json['detail']), /nonsense/);
      const mistyped = await post(path, { dry_run: 'yes' });
      assert.match(String(mistyped.json['detail']), /^dry_run: /);
      assert.deepEqual(listTasks(), []);
    });
  }

  for (const path of SELECTING) {
    test(`never takes an empty selection for everything: ${path}`, async (t) => {
      const { post, listTasks, looked } = await startManual(t);
      const empty = [undefined, {}, { units: [] }, { all: false }, { all: false, units: [] }];
      for (const body of [...empty, { dry_run: true }]) {
        const { status, json } = await post(path, body);
        assert.deepEqual([status, json['code']], [400, 'SELECTION_EMPTY'], JSON.stringify(body));
      }
      assert.deepEqual([listTasks(), looked], [[], []]);
    });

    test(`touches no unit that is not known, nor any other of the call: ${path}`, async (t) => {
      const { post, listTasks } = await startManual(t);
      for (const name of ['dbus', 'podman-auto-update.timer', '--now', '../web']) {
        const { status, json } = await post(path, { units: ['web', name] });
        assert.deepEqual([status, json['code']], [404, 'UNIT_NOT_CONFIGURED'], name);
      }
      assert.deepEqual(listTasks(), []);
    });

    test(`makes nothing in a dry run: ${path}`, async (t) => {
      const { post, listTasks, looked, woken } = await startManual(t);
      const { status, json } = await post(path, { units: ['web', 'db'], dry_run: true });
      assert.equal(status, 200);
      assert.deepEqual([json['dry_run'], json['task_id'], json['batch_id']], [true, null, null]);
      assert.deepEqual([listTasks(), woken], [[], []]);
      assert.equal(looked.length, 2);
    });
  }

  test('takes the token in the body, as older scripts send it, and records it nowhere', async (t) => {
    const { port, listTasks, log, events, readFiles } = await startManual(t);
    const body = JSON.stringify({ token: TOKEN, units: ['web'], caller: 'ci' });
    const headers = { 'content-type': 'application/json' };
    const path = '/api/manual/trigger';
    const answer = await ask(port, { method: 'POST', path, headers, body });
    assert.equal(answer.status, 202, answer.text);
    assert.equal(listTasks().length, 1);
    const wrong = await ask(port, {
      ...{ method: 'POST', path, headers },
      body: JSON.stringify({ token: 'nobody-knows', units: ['web'] }),
    });
    assert.deepEqual([wrong.status, wrong.json['code']], [401, 'ADMIN_TOKEN_INVALID']);
    events.flush();
    assert.ok(!(log.join('\n') + readFiles() + answer.text).includes(TOKEN));
  });
});

describe('POST /api/manual/trigger', () => {
  test('makes a task of each unit that restarts it, in one batch, with caller and reason', async (t) => {
    const { post, listTasks, woken } = await startManual(t);
    const body = { units: ['web', 'db'], caller: 'ci', reason: 'nightly' };
    const { status, json } = await post('/api/manual/trigger', body);
    assert.equal(status, 202, JSON.stringify(json));
    const triggered = json['triggered'] as Made[];
    assert.deepEqual(
      triggered.map(({ unit, status: one }) => [unit, one]),
      [
        ['web.service', 'pending'],
        ['db.service', 'pending'],
      ],
    );
    assert.deepEqual([json['caller'], json['reason'], json['task_id']], ['ci', 'nightly', null]);
    const tasks = listTasks();
    assert.deepEqual(woken, ['wake']);
    assert.deepEqual(
      new Set(tasks.map(({ id }) => id)),
      new Set(triggered.map(({ task_id: id }) => id)),
    );
    for (const task of tasks) {
      assert.equal(inputOf(task.input)['restart'], true);
      assert.deepEqual([task.kind, task.batch_id], ['manual', json['batch_id']]);
      const caller = 'token:PODUP_TOKEN at 127.0.0.1, as ci';
      assert.deepEqual([task.trigger_caller, task.trigger_reason], [caller, 'nightly']);
      assert.deepEqual(
        [task.trigger_path, task.trigger_request_id],
        ['/api/manual/trigger', json['request_id']],
      );
    }
  });

  test('takes all where that is said, and tells the one task of one unit', async (t) => {
    const { post, listTasks } = await startManual(t, ['web.service']);
    const { json } = await post('/api/manual/trigger', { all: true });
    assert.equal(json['task_id'], listTasks()[0]?.id);
    assert.equal(json['batch_id'], null);
  });

  test('tells in a dry run what the restart of each would do', async (t) => {
    const { post } = await startManual(t);
    const { json } = await post('/api/manual/trigger', { units: ['web'], dry_run: true });
    const [one] = json['triggered'] as { status: string; plan: { restarts: string[] } }[];
    assert.deepEqual([one?.status, one?.plan.restarts], ['dry-run', ['web.service']]);
  });
});

describe('POST /api/manual/deploy', () => {
  test('takes what has an image that can move, and says of the others why not', async (t) => {
    const { post, listTasks } = await startManual(t);
    const { status, json } = await post('/api/manual/deploy', { all: true });
    assert.equal(status, 202, JSON.stringify(json));
    const deploying = json['deploying'] as (Made & { image: string })[];
    assert.deepEqual(
      deploying.map(({ unit, image }) => [unit, image]),
      [
        ['web.service', 'ghcr.io/octo-org/hello:stable'],
        ['db.service', 'ghcr.io/octo-org/db:latest'],
      ],
    );
    assert.deepEqual(json['skipped'], [
      { unit: 'shell.service', status: 'skipped', message: 'image-missing' },
      { unit: 'gone.service', status: 'skipped', message: 'unit-not-found' },
      { unit: 'pinned.service', status: 'skipped', message: 'image-pinned' },
    ]);
    const inputs = listTasks().map(({ input }) => inputOf(input));
    assert.deepEqual(
      inputs.map(({ restart }) => restart),
      [undefined, undefined],
    );
  });

  test('is refused where nothing of what is selected can be deployed', async (t) => {
    const { post, listTasks } = await startManual(t);
    const { status, json } = await post('/api/manual/deploy', { units: ['shell', 'gone'] });
    assert.deepEqual([status, json['code']], [422, 'UNIT_IMAGE_UNKNOWN']);
    assert.match(String(json['detail']), /shell\.service: image-missing/);
    assert.deepEqual(listTasks(), []);
  });

  test('tells in a dry run what keeps a unit from being deployed', async (t) => {
    const { post } = await startManual(t);
    const { json } = await post('/api/manual/deploy', { units: ['web'], dry_run: true });
    const [one] = json['deploying'] as { status: string; message: string }[];
    assert.equal(one?.status, 'error');
    assert.match(String(one?.message), /^REGISTRY_UNREACHABLE: /);
  });
});

describe('POST /api/manual/services/SLUG', () => {
  test('restarts without an image, and says what is to be used instead', async (t) => {
    const { post, listTasks } = await startManual(t);
    const { status, json } = await post('/api/manual/services/web', { image: '' });
    assert.equal(status, 202, JSON.stringify(json));
    assert.deepEqual(
      [json['unit'], json['status'], json['deprecated'], json['replacement'], json['image']],
      ['web.service', 'pending', true, '/api/manual/trigger', null],
    );
    assert.equal(json['task_id'], listTasks()[0]?.id);
    assert.equal(inputOf(listTasks()[0]?.input ?? null)['restart'], true);
  });

  test('brings the unit to an image that is named', async (t) => {
    const { post, listTasks } = await startManual(t);
    const { json } = await post('/api/manual/services/web', { image: ':next' });
    assert.equal(json['replacement'], '/api/manual/services/web/upgrade');
    const [task] = listTasks();
    assert.deepEqual([task?.wanted, inputOf(task?.input ?? null)['restart']], [':next', undefined]);
  });

  test('of a unit that is not known is refused', async (t) => {
    const { post, listTasks } = await startManual(t);
    for (const path of ['/api/manual/services/dbus', '/api/manual/services/dbus/upgrade']) {
      const { status, json } = await post(path, {});
      assert.deepEqual([status, json['code']], [404, 'UNIT_NOT_CONFIGURED']);
    }
    assert.deepEqual(listTasks(), []);
  });
});

describe('POST /api/manual/services/SLUG/upgrade', () => {
  const base = 'ghcr.io/octo-org/hello:stable';
  const TARGETS = [
    [undefined, base],
    ['', base],
    [':next', 'ghcr.io/octo-org/hello:next'],
    ['next', 'ghcr.io/octo-org/hello:next'],
    ['ghcr.io/octo-org/hello:v2', 'ghcr.io/octo-org/hello:v2'],
    [`sha256:${'ab'.repeat(32)}`, `ghcr.io/octo-org/hello@sha256:${'ab'.repeat(32)}`],
  ] as const;

  for (const [image, target] of TARGETS) {
    test(`understands ${JSON.stringify(image)} as ${target}`, async (t) => {
      const { post, listTasks } = await startManual(t);
      const body = image === undefined ? {} : { image };
      const { status, json } = await post('/api/manual/services/web/upgrade', body);
      assert.equal(status, 202, JSON.stringify(json));
      assert.deepEqual([json['base_image'], json['target_image']], [base, target]);
      const wanted = image === undefined || image === '' ? null : image;
      assert.equal(listTasks()[0]?.wanted, wanted);
    });
  }

  test('refuses the image of another program, and one that is none', async (t) => {
    const { post, listTasks } = await startManual(t);
    for (const image of ['ghcr.io/evil/hello:stable', 'docker.io/library/x', '--all', ': :']) {
      const { status, json } = await post('/api/manual/services/web/upgrade', { image });
      assert.deepEqual([status, json['code']], [422, 'VERSION_NOT_OF_UNIT'], image);
    }
    const none = await post('/api/manual/services/shell/upgrade', {});
    assert.deepEqual([none.status, none.json['code']], [422, 'UNIT_IMAGE_UNKNOWN']);
    assert.deepEqual(listTasks(), []);
  });
});

describe('POST /api/manual/auto-update/run', () => {
  const path = '/api/manual/auto-update/run';

  test('makes one task of it, and tells of that one while it has not ended', async (t) => {
    const { post, store, listTasks, woken } = await startManual(t);
    const { status, json } = await post(path, { caller: 'ci', reason: 'nightly' });
    assert.equal(status, 202, JSON.stringify(json));
    assert.deepEqual(
      [json['unit'], json['status'], json['image'], json['dry_run']],
      ['podman-auto-update.service', 'pending', null, false],
    );
    const [task] = listTasks();
    assert.deepEqual([json['task_id'], json['batch_id']], [task?.id, task?.batch_id]);
    assert.deepEqual(
      [task?.kind, task?.trigger_caller],
      ['manual', 'token:PODUP_TOKEN at 127.0.0.1, as ci'],
    );
    assert.equal(inputOf(task?.input ?? null)['podmanAutoUpdate'], 'run');
    const again = await post(path, {});
    assert.deepEqual([again.json['status'], again.json['task_id']], ['already-running', task?.id]);
    const id = task?.id ?? '';
    store.tasks.markDispatched(id, 'child', 5);
    assert.equal((await post(path, {})).json['status'], 'already-running');
    store.tasks.finish({ id, attempts: 1 }, { status: 'failed', summary: 'No.', at: 6 });
    const anew = await post(path, {});
    assert.equal(anew.json['status'], 'pending');
    assert.notEqual(anew.json['task_id'], id);
    assert.deepEqual(woken, ['wake', 'wake']);
  });

  test('looks in a dry run by a task that says so, beside one that runs', async (t) => {
    const { post, listTasks } = await startManual(t);
    await post(path, {});
    const { json } = await post(path, { dry_run: true });
    assert.deepEqual([json['status'], json['dry_run']], ['pending', true]);
    const modes = listTasks().map(({ input }) => inputOf(input)['podmanAutoUpdate']);
    assert.deepEqual(new Set(modes), new Set(['run', 'dry-run']));
  });

  test('is what the service of the timer stands for', async (t) => {
    const { post, listTasks } = await startManual(t);
    const { json } = await post('/api/manual/services/podman-auto-update', {});
    assert.equal(json['replacement'], path);
    assert.equal(json['task_id'], listTasks()[0]?.id);
  });
});

describe('POST /auto-update', () => {
  const path = '/auto-update';

  test('is let through twice in ten minutes, and then told when again', async (t) => {
    const { post, port, store, listTasks } = await startManual(t);
    const first = await ask(port, { method: 'POST', path: `${path}?token=${TOKEN}` });
    assert.deepEqual([first.status, first.text], [202, 'auto-update triggered\n']);
    assert.match(first.headers['content-type'] ?? '', /^text\/plain/);
    const [task] = listTasks();
    assert.equal(first.headers.location, `/api/tasks/${task?.id}`);
    assert.equal((await post(path, { caller: 'cron' })).status, 202);
    const { status, json, headers } = await post(path);
    assert.deepEqual([status, json['code']], [429, 'RATE_LIMITED']);
    const seconds = Number(headers['retry-after']);
    assert.ok(seconds > 590 && seconds <= 600, String(seconds));
    assert.equal(store.rateLimits.list('manual-auto-update', 9).length, 2);
  });

  test('counts neither who is not let in nor who asks in another way', async (t) => {
    const { port, store } = await startManual(t);
    assert.equal((await ask(port, { method: 'POST', path })).status, 401);
    assert.equal((await ask(port, { method: 'POST', path: `${path}?token=nobody` })).status, 401);
    for (const method of ['GET', 'PUT']) {
      assert.equal((await ask(port, { method, path: `${path}?token=${TOKEN}` })).status, 405);
    }
    assert.deepEqual(store.rateLimits.list('manual-auto-update', 9), []);
  });

  test('leaves the token of the query in no event', async (t) => {
    const { port, events, readFiles, log } = await startManual(t);
    await ask(port, { method: 'POST', path: `${path}?token=${TOKEN}` });
    events.flush();
    assert.ok(!(log.join('\n') + readFiles()).includes(TOKEN));
  });
});

describe('the Idempotency-Key of a manual call', () => {
  const path = '/api/manual/trigger';
  const key = { 'idempotency-key': 'deploy-4711' };

  test('gives the same answer again, and does nothing again', async (t) => {
    const { post, listTasks } = await startManual(t);
    const first = await post(path, { units: ['web'], reason: 'x' }, key);
    const again = await post(path, { reason: 'x', units: ['web'] }, key);
    assert.deepEqual([first.status, again.status], [202, 202]);
    assert.deepEqual(again.json, first.json);
    assert.deepEqual(
      [first.headers['idempotency-replayed'], again.headers['idempotency-replayed']],
      [undefined, 'true'],
    );
    assert.equal(listTasks().length, 1);
    const other = await post(path, { units: ['web'], reason: 'x' });
    assert.notEqual(other.json['task_id'], first.json['task_id']);
    assert.equal(listTasks().length, 2);
  });

  test('makes one task of calls at the same time', async (t) => {
    const { post, listTasks } = await startManual(t);
    const calls = Array.from({ length: 8 }, () => post('/api/manual/deploy', { all: true }, key));
    const answers = await Promise.all(calls);
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    assert.equal(listTasks().length, 2);
  });

  test('with another body, or at another path, is refused', async (t) => {
    const { post, listTasks } = await startManual(t);
    await post(path, { units: ['web'] }, key);
    for (const [where, body] of [
      [path, { units: ['db'] }],
      ['/api/manual/deploy', { units: ['web'] }],
      ['/api/manual/services/web', {}],
    ] as const) {
      const { status, json } = await post(where, body, key);
      assert.deepEqual([status, json['code']], [422, 'IDEMPOTENCY_KEY_REUSED'], where);
    }
    assert.equal(listTasks().length, 1);
  });

  test('of a call that was refused may be used again, for nothing was done', async (t) => {
    const { post, listTasks } = await startManual(t);
    assert.equal((await post(path, { units: ['nobody'] }, key)).status, 404);
    assert.equal((await post(path, { units: ['web'], dry_run: true }, key)).status, 200);
    assert.equal((await post(path, { units: ['web'] }, key)).status, 202);
    assert.equal(listTasks().length, 1);
  });

  test('that is none is refused', async (t) => {
    const { post, listTasks } = await startManual(t);
    for (const bad of ['with space', 'x'.repeat(256), 'ümlaut']) {
      const { status } = await post(path, { units: ['web'] }, { 'idempotency-key': bad });
      assert.equal(status, 400, bad);
    }
    assert.deepEqual(listTasks(), []);
  });
});
