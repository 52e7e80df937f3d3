import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  DIGEST,
  DISTRIBUTION,
  GENERIC,
  HUB,
  pick,
  plain,
  REFUSED,
  standardHeaders,
  startHooks,
} from './hook-fixture.ts';

describe('a hook of a sender that can prove nothing', () => {
  test('is opened by the secret in its URL, and what it says has to be found at the registry', async (t) => {
    const { create, post, takeOver, store } = await startHooks(t);
    const secret = create({ name: 'hub', source: 'docker-hub' });
    const { status, json } = await post(`/hooks/hub/${secret}`, { body: HUB });
    // Nothing of this host runs an image of Docker Hub.
    assert.equal(status, 202);
    assert.equal(json['verdict'], 'ignored');
    takeOver();
    const rows = store.deliveries.listByTask('none');
    assert.deepEqual(rows, []);
    const hub = (await post('/hooks/hub', { body: HUB })).json['code'];
    assert.equal(hub, 'HOOK_REFUSED');
  });

  test('marks what it lets in for a proof; one that signs does not', async (t) => {
    const { create, post, tasks, store } = await startHooks(t);
    const secret = create({
      ...{ name: 'plain', source: 'distribution', scheme: 'path-secret', registry: 'ghcr.io' },
    });
    await post(`/hooks/plain/${secret}`, { body: DISTRIBUTION });
    const [task] = tasks();
    const [row] = store.deliveries.listByTask(task?.id ?? '');
    assert.deepEqual([row?.needs_proof, row?.hook, row?.digest], [1, 'plain', DIGEST]);
    assert.equal(row?.path, '/hooks/plain/***');
    assert.equal(task?.trigger_path, '/hooks/plain/***');
  });
});

describe('a hook lets nobody in', () => {
  const send = ({ post }: Awaited<ReturnType<typeof startHooks>>, secret: string, name = 'ci') =>
    post(`/hooks/${name}`, { headers: standardHeaders(secret, GENERIC), body: GENERIC });

  test('that there is not, and it looks like one with another secret', async (t) => {
    const hooks = await startHooks(t);
    const secret = hooks.create({ name: 'ci', source: 'generic' });
    const unknown = await send(hooks, secret, 'none');
    assert.equal(hooks.refusal(), 'unknown');
    const wrong = await send(hooks, `whsec_${Buffer.alloc(32).toString('base64')}`);
    assert.equal(hooks.refusal(), 'secret-wrong');
    assert.deepEqual(plain(unknown), plain(wrong));
    assert.deepEqual(
      Object.keys(unknown.headers).filter((name) => name !== 'x-request-id'),
      Object.keys(wrong.headers).filter((name) => name !== 'x-request-id'),
    );
  });

  test('while it is disabled, and does again when it is enabled', async (t) => {
    const hooks = await startHooks(t);
    const secret = hooks.create({ name: 'ci', source: 'generic' });
    assert.ok(hooks.hooks.setDisabled('ci', true, 'admin').ok);
    assert.deepEqual(pick(await send(hooks, secret)), REFUSED);
    assert.equal(hooks.refusal(), 'disabled');
    assert.ok(hooks.hooks.setDisabled('ci', false, 'admin').ok);
    assert.equal((await send(hooks, secret)).status, 202);
  });

  test('after its time, to the moment', async (t) => {
    const hooks = await startHooks(t);
    const secret = hooks.create({ name: 'ci', source: 'generic', expires_at: inMs(60_000) });
    assert.equal((await send(hooks, secret)).status, 202);
    assert.ok(hooks.hooks.update('ci', { expires_at: inMs(-1) }, 'admin').ok);
    assert.deepEqual(pick(await send(hooks, secret)), REFUSED);
    assert.equal(hooks.refusal(), 'expired');
    const found = hooks.hooks.find('ci');
    assert.ok(found.ok && found.value.state === 'expired');
    assert.equal(found.value.last_refusal?.reason, 'expired');
  });

  test('from an address that it does not name', async (t) => {
    const hooks = await startHooks(t);
    const secret = hooks.create({ name: 'ci', source: 'generic', networks: ['192.0.2.0/24'] });
    assert.deepEqual(pick(await send(hooks, secret)), REFUSED);
    assert.equal(hooks.refusal(), 'network');
    assert.ok(hooks.hooks.update('ci', { networks: ['127.0.0.0/8'] }, 'admin').ok);
    assert.equal((await send(hooks, secret)).status, 202);
  });

  test('after it was removed', async (t) => {
    const hooks = await startHooks(t);
    const secret = hooks.create({ name: 'ci', source: 'generic' });
    assert.ok(hooks.hooks.remove('ci', 'x').ok);
    assert.deepEqual(pick(await send(hooks, secret)), REFUSED);
    assert.equal(hooks.refusal(), 'unknown');
    assert.equal(hooks.hooks.remove('ci', 'x').ok, false);
  });

  test('by a name that is none, or longer than any', async (t) => {
    const { post } = await startHooks(t);
    for (const name of ['__proto__', 'A', '%00', 'a'.repeat(250)]) {
      assert.deepEqual(pick(await post(`/hooks/${name}`, { body: '{}' })), REFUSED, name);
    }
    assert.equal((await post(`/hooks/${'a'.repeat(400)}`, { body: '{}' })).status, 404);
  });
});

describe('a delivery signed by Standard Webhooks', () => {
  const NOW = () => Math.floor(Date.now() / 1000);
  const open = async (t: Parameters<typeof startHooks>[0]) => {
    const test = await startHooks(t);
    const secret = test.create({ name: 'ci', source: 'generic' });
    const send = (headers: Readonly<Record<string, string>>, body = GENERIC) =>
      test.post('/hooks/ci', { headers, body });
    return { ...test, secret, send };
  };

  for (const [what, at] of [
    ['of ten minutes ago', () => NOW() - 600],
    ['of a time to come', () => NOW() + 600],
  ] as const) {
    test(`${what} is refused, and told why, for it opens the hook`, async (t) => {
      const { send, secret, tasks } = await open(t);
      const { status, json } = await send(standardHeaders(secret, GENERIC, { at: at() }));
      assert.deepEqual([status, json['code']], [401, 'HOOK_TIMESTAMP_REFUSED']);
      assert.deepEqual(tasks(), []);
    });
  }

  test('within the tolerance is taken, both ways', async (t) => {
    const { send, secret } = await open(t);
    for (const [id, at] of [
      ['a', NOW() - 290],
      ['b', NOW() + 290],
    ] as const) {
      assert.equal((await send(standardHeaders(secret, GENERIC, { id, at }))).status, 202);
    }
  });

  test('with a time that is none is refused', async (t) => {
    const { send, secret } = await open(t);
    for (const raw of ['', 'now', '1e9', '-5', '99999999999999']) {
      const bytes = Buffer.from(secret.slice(6), 'base64');
      const mac = createHmac('sha256', bytes).update(`msg.${raw}.${GENERIC}`).digest('base64');
      const { status } = await send({
        ...{ 'webhook-id': 'msg', 'webhook-timestamp': raw },
        'webhook-signature': `v1,${mac}`,
      });
      assert.equal(status, 401, raw);
    }
  });

  test('with several signatures is let in by any that fits', async (t) => {
    const { send, secret } = await open(t);
    const good = standardHeaders(secret, GENERIC);
    const other = `v1,${Buffer.alloc(32).toString('base64')}`;
    const signature = `v1a,xyz ${other} ${good['webhook-signature']}`;
    assert.equal((await send({ ...good, 'webhook-signature': signature })).status, 202);
    const onlyOthers = { ...good, 'webhook-signature': `v1a,xyz ${other} nothing` };
    assert.equal((await send(onlyOthers)).status, 401);
  });

  test('of another id or time than was signed is refused', async (t) => {
    const { send, secret } = await open(t);
    const good = standardHeaders(secret, GENERIC);
    for (const changed of [{ 'webhook-id': 'other' }, { 'webhook-timestamp': String(NOW() - 1) }]) {
      assert.equal((await send({ ...good, ...changed })).status, 401);
    }
  });

  test('repeated by its id is a duplicate, for each unit', async (t) => {
    const { send, secret, tasks } = await open(t);
    assert.equal((await send(standardHeaders(secret, GENERIC))).status, 202);
    const again = await send(standardHeaders(secret, GENERIC));
    assert.deepEqual([again.status, again.json['verdict']], [200, 'duplicate']);
    assert.equal(tasks().length, 2);
    const later = await send(standardHeaders(secret, GENERIC));
    assert.equal(later.json['verdict'], 'duplicate');
    const other = await send(standardHeaders(secret, GENERIC, { id: 'msg_2' }));
    assert.equal(other.json['verdict'], 'accepted');
  });

  test('64 times at once is one task a unit', async (t) => {
    const { send, secret, tasks } = await open(t);
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => send(standardHeaders(secret, GENERIC))),
    );
    const verdicts = answers.map(({ json }) => json['verdict']);
    assert.equal(verdicts.filter((one) => one === 'accepted').length, 1);
    assert.equal(verdicts.filter((one) => one === 'duplicate').length, 63);
    assert.equal(tasks().length, 2);
  });

  test('whose task went wrong is work again', async (t) => {
    const { send, secret, tasks, store } = await open(t);
    await send(standardHeaders(secret, GENERIC));
    for (const { id } of tasks()) {
      store.tasks.markDispatched(id, 'child', 1);
      const run = { id, attempts: 1 };
      store.tasks.claim(run, 2);
      store.tasks.finish(run, { status: 'failed', summary: 'x', at: 3, errorCode: 'PULL_FAILED' });
    }
    const again = await send(standardHeaders(secret, GENERIC));
    assert.equal(again.json['verdict'], 'accepted');
    assert.equal(tasks().length, 4);
  });
});

function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}
