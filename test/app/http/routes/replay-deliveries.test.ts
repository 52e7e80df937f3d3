import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ask, askAdmin, TOKEN } from '../http-fixture.ts';
import {
  bearer,
  DISTRIBUTION,
  GENERIC,
  GITHUB,
  hmac,
  standardHeaders,
  startHooks,
  WEB_TOKEN,
} from './hook-fixture.ts';

/** Hooks, what they have let in, and the ways to have that done anew. */
async function start(context: TestContext) {
  const all = await startHooks(context);
  const { port, store, takeOver, post } = all;
  const replay = (id: string, token = TOKEN) =>
    ask(port, {
      ...{ method: 'POST', path: `/api/deliveries/${id}/replay`, body: '{}' },
      headers: { 'content-type': 'application/json', ...bearer(token) },
    });
  const rows = () => {
    takeOver();
    return store.deliveries.list({ limit: 100 }, 100);
  };
  /** Sends one to the hook `ci`; gives the id of what it is for web.service. */
  const send = async (secret: string, body = GENERIC) => {
    const answer = await post('/hooks/ci', { headers: standardHeaders(secret, body), body });
    assert.equal(answer.status, 202);
    const row = rows().find(({ unit }) => unit === 'web.service');
    assert.ok(row);
    return row.id;
  };
  /** As deployments would: nothing waits that what comes could join. */
  const succeedAll = () => {
    for (const { id, status } of all.tasks()) {
      if (status !== 'pending') continue;
      store.tasks.markDispatched(id, 'child', 1);
      const run = { id, attempts: 1 };
      store.tasks.claim(run, 2);
      store.tasks.finish(run, { status: 'succeeded', summary: '', at: 3 });
    }
  };
  return { ...all, replay, rows, send, succeedAll };
}

/** What became of each unit. */
function verdictsOf(answer: Awaited<ReturnType<typeof ask>>) {
  const { deliveries } = answer.json as {
    readonly deliveries: readonly Readonly<Record<string, unknown>>[];
  };
  return deliveries.map(({ unit, verdict, reason }) => [unit, verdict, reason]).sort();
}

/** A hook for web.service and twin.service. */
const CI = { name: 'ci', source: 'generic', units: ['web.service', 'twin.service'] };

const BY = 'token:admin at 127.0.0.1';
const BOTH = [
  ['twin.service', 'accepted', null],
  ['web.service', 'accepted', null],
];

describe('a delivery of a hook that is replayed', () => {
  test('is work again for each of its units, without a signature and however old it is', async (t) => {
    const { create, send, replay, rows, tasks, succeedAll, store } = await start(t);
    const id = await send(create(CI));
    succeedAll();
    const laterMs = Date.now() + 3_600_000;
    t.mock.method(Date, 'now', () => laterMs);
    const answer = await replay(id);
    assert.deepEqual([answer.status, verdictsOf(answer)], [202, BOTH]);
    assert.equal(tasks().length, 4);
    const [first] = rows();
    const origin = first?.replay_of ?? '';
    assert.deepEqual(
      rows()
        .slice(0, 2)
        .map((row) => [row.hook, row.source, row.replay_of, row.replayed_by, row.path]),
      Array.from({ length: 2 }, () => ['ci', 'generic', origin, BY, '/hooks/ci']),
    );
    assert.equal(store.deliveries.find(origin)?.replay_of, null);
    assert.equal(tasks()[0]?.trigger_caller, 'hook:ci');
    assert.equal(tasks()[0]?.trigger_reason, `replay of ${origin} by ${BY}`);
  });

  test('is read by the headers that it came with', async (t) => {
    const { create, post, replay, rows } = await start(t);
    const secret = create({ ...CI, source: 'github' });
    const headers = {
      ...{ 'x-github-event': 'package', 'x-github-delivery': 'guid-1' },
      'x-hub-signature-256': `sha256=${hmac(secret, GITHUB)}`,
    };
    assert.equal((await post('/hooks/ci', { headers, body: GITHUB })).status, 202);
    const [origin] = rows();
    assert.deepEqual(verdictsOf(await replay(origin?.id ?? '')), BOTH);
    assert.deepEqual(
      rows().map(({ delivery, event }) => `${event} ${delivery}`),
      Array.from({ length: 4 }, () => 'package guid-1'),
    );
  });

  test('counts as no use of the hook, nor of its secret', async (t) => {
    const { create, send, replay, rows, hooks } = await start(t);
    const id = await send(create(CI));
    const used = () => {
      rows();
      const found = hooks.find('ci');
      return found.ok && [found.value.last_used_at, found.value.secrets];
    };
    const before = used();
    t.mock.method(Date, 'now', () => 9_000_000_000_000);
    assert.equal((await replay(id)).status, 202);
    t.mock.restoreAll();
    assert.deepEqual(used(), before);
  });

  test('is not while its hook is disabled, and is once that is enabled', async (t) => {
    const { create, send, replay, rows, hooks } = await start(t);
    const id = await send(create(CI));
    assert.ok(hooks.setDisabled('ci', true, 'admin').ok);
    await refusesFor(replay, id, 'The hook ci is disabled.');
    assert.equal(rows().length, 2);
    assert.ok(hooks.setDisabled('ci', false, 'admin').ok);
    assert.equal((await replay(id)).status, 202);
  });

  test('is not after the time of its hook', async (t) => {
    const { create, send, replay, hooks } = await start(t);
    const id = await send(create(CI));
    assert.ok(hooks.update('ci', { expires_at: new Date(Date.now() - 1).toISOString() }, 'x').ok);
    await refusesFor(replay, id, 'The hook ci is expired.');
  });

  test('is not once its hook is removed, nor by another kind of hook of that name', async (t) => {
    const { create, send, replay, hooks, rows } = await start(t);
    const id = await send(create(CI));
    assert.ok(hooks.remove('ci', 'x').ok);
    await refusesFor(replay, id, 'There is no hook ci any more.');
    create({ name: 'ci', source: 'docker-hub' });
    await refusesFor(replay, id, 'The hook ci is one of docker-hub now, and it came from generic.');
    assert.equal(rows().length, 2);
  });

  test('leads to nothing that its hook may not report any more', async (t) => {
    const { create, send, replay, hooks } = await start(t);
    const id = await send(create(CI));
    assert.ok(hooks.update('ci', { units: ['web.service'] }, 'admin').ok);
    assert.deepEqual(verdictsOf(await replay(id)), [BOTH[1]]);
    assert.ok(hooks.update('ci', { units: ['other.service'] }, 'admin').ok);
    await refusesFor(replay, id, 'The hook ci may report for none of its units any more.');
    assert.ok(hooks.update('ci', { units: CI.units, images: ['ghcr.io/another/**'] }, 'admin').ok);
    const ignored = verdictsOf(await replay(id));
    assert.deepEqual(ignored, [['', 'ignored', 'hook-image-not-allowed']]);
  });

  test('leads to nothing for units that it did not concern', async (t) => {
    const { create, send, replay, hooks } = await start(t);
    const id = await send(create({ name: 'ci', source: 'generic', units: ['web.service'] }));
    assert.ok(hooks.update('ci', { units: [] }, 'admin').ok);
    assert.deepEqual(verdictsOf(await replay(id)), [BOTH[1]]);
  });

  test('has to be found at the registry where nothing proved it, whatever its hook wants now', async (t) => {
    const { create, post, replay, rows, hooks, tasks, succeedAll } = await start(t);
    const wish = { name: 'plain', source: 'distribution', registry: 'ghcr.io' };
    const secret = create({ ...wish, scheme: 'path-secret' });
    await post(`/hooks/plain/${secret}`, { body: DISTRIBUTION });
    const [{ id } = { id: '' }] = rows();
    succeedAll();
    assert.equal((await replay(id)).status, 202);
    assert.deepEqual([rows()[0]?.needs_proof, rows()[0]?.path], [1, '/hooks/plain/***']);
    assert.ok(hooks.remove('plain', 'x').ok);
    create({ ...wish, scheme: 'authorization' });
    succeedAll();
    assert.equal((await replay(id)).status, 202);
    assert.equal(rows()[0]?.needs_proof, 1);
    assert.equal(tasks().filter(({ status }) => status === 'pending').length, 2);
  });

  test('that was ignored is judged by what the hook allows now', async (t) => {
    const { create, post, replay, rows, hooks } = await start(t);
    const secret = create({ ...CI, images: ['ghcr.io/another/**'] });
    const headers = standardHeaders(secret, GENERIC);
    const ignored = await post('/hooks/ci', { headers, body: GENERIC });
    assert.equal(ignored.json['verdict'], 'ignored');
    assert.ok(hooks.update('ci', { images: [] }, 'admin').ok);
    assert.deepEqual(verdictsOf(await replay(rows()[0]?.id ?? '')), BOTH);
  });
});

describe('what was refused cannot be replayed', () => {
  test('by any name: of it there is no delivery', async (t) => {
    const { create, post, replay, rows, port } = await start(t);
    create(CI);
    const headers = standardHeaders(`whsec_${Buffer.alloc(32).toString('base64')}`, GENERIC);
    assert.equal((await post('/hooks/ci', { headers, body: GENERIC })).status, 401);
    assert.deepEqual(rows(), []);
    for (const id of ['1', 'msg_1', 'ci']) {
      assert.deepEqual(pickCode(await replay(id)), [404, 'DELIVERY_NOT_FOUND']);
    }
    assert.deepEqual((await askAdmin(port, '/api/deliveries')).json['deliveries'], []);
  });
});

describe('who may replay', () => {
  test('has the right to all its units, and a replay gives none to more', async (t) => {
    const { create, send, replay, rows, hooks } = await start(t);
    const id = await send(create(CI));
    assert.deepEqual(pickCode(await replay(id, WEB_TOKEN)), [403, 'SCOPE_MISSING']);
    assert.deepEqual(pickCode(await replay(id, 'wrong')), [401, 'ADMIN_TOKEN_INVALID']);
    // One that was for web.service alone, of a delivery for both.
    assert.ok(hooks.update('ci', { units: ['web.service'] }, 'admin').ok);
    assert.deepEqual(verdictsOf(await replay(id)), [BOTH[1]]);
    assert.ok(hooks.update('ci', { units: CI.units }, 'admin').ok);
    const [again] = rows();
    const done = await replay(again?.id ?? '', WEB_TOKEN);
    assert.deepEqual([done.status, verdictsOf(done)], [202, [BOTH[1]]]);
    assert.equal(rows()[0]?.replay_of, again?.replay_of);
  });
});

async function refusesFor(
  replay: (id: string) => ReturnType<typeof ask>,
  id: string,
  why: string,
): Promise<void> {
  const answer = await replay(id);
  assert.deepEqual(pickCode(answer), [409, 'DELIVERY_NOT_REPLAYABLE']);
  assert.equal(answer.json['detail'], why);
}

function pickCode({ status, json }: Awaited<ReturnType<typeof ask>>) {
  return [status, json['code']];
}
