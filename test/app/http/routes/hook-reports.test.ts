import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_BODY_BYTES, sign } from '../http-fixture.ts';
import {
  bearer,
  DISTRIBUTION,
  GENERIC,
  GITEA,
  GITHUB,
  HUB,
  hmac,
  IMAGE,
  PIPELINE,
  pick,
  REFUSED,
  standardHeaders,
  startHooks,
} from './hook-fixture.ts';

describe('what a hook may report', () => {
  const send = async (
    t: Parameters<typeof startHooks>[0],
    hook: Readonly<Record<string, unknown>>,
    push: Readonly<Record<string, unknown>> = {},
  ) => {
    const test = await startHooks(t);
    const secret = test.create({ name: 'ci', source: 'generic', ...hook });
    const body = JSON.stringify({ image: IMAGE, tag: 'latest', ...push });
    const answer = await test.post('/hooks/ci', { headers: standardHeaders(secret, body), body });
    assert.equal(answer.status, 202, answer.text);
    const deliveries = answer.json['deliveries'] as readonly Record<string, unknown>[];
    const told = deliveries.map(({ unit, verdict, reason }) => [unit, verdict, reason]);
    return { ...test, told, units: () => test.tasks().map(({ unit }) => unit) };
  };

  test('is for its units only', async (t) => {
    const { told, units } = await send(t, { units: ['web'] });
    assert.deepEqual(told, [['web.service', 'accepted', null]]);
    assert.deepEqual(units(), ['web.service']);
  });

  test('is for the images only that its patterns allow', async (t) => {
    const { told, units } = await send(t, { images: ['ghcr.io/other/*', 'quay.io/**'] });
    assert.deepEqual(told, [[null, 'ignored', 'hook-image-not-allowed']]);
    assert.deepEqual(units(), []);
  });

  test('is for the tags of units that its patterns allow', async (t) => {
    const { told } = await send(t, { images: ['ghcr.io/octo-org/hello:stable'] });
    assert.deepEqual(
      told.map(([, , reason]) => reason),
      ['web', 'twin', 'pinned'].map(() => 'hook-image-not-allowed'),
    );
  });

  test('is nothing where no unit runs the image', async (t) => {
    const { told } = await send(t, {}, { image: 'ghcr.io/octo-org/nobody' });
    assert.deepEqual(told, [[null, 'ignored', 'hook-without-unit']]);
  });

  test('is said of units that it names and that may not be deployed', async (t) => {
    const { told } = await send(t, { units: ['off', 'pinned', 'gone', 'shell', 'other', 'web'] });
    assert.deepEqual(told, [
      ['off.service', 'ignored', 'unit-webhooks-off'],
      ['pinned.service', 'ignored', 'unit-image-pinned'],
      ['gone.service', 'ignored', 'unit-not-found'],
      ['shell.service', 'ignored', 'unit-image-unknown'],
      ['web.service', 'accepted', null],
    ]);
  });

  test('has its units looked at where it only checks, and nothing is deployed', async (t) => {
    const { told, units, checked } = await send(t, { action: 'check', units: ['web'] });
    assert.deepEqual(told, [['web.service', 'ignored', 'hook-only-checks']]);
    assert.deepEqual(checked, [['web.service']]);
    assert.deepEqual(units(), []);
  });

  test('is the image that it is set up for, where the sender names none', async (t) => {
    const test = await startHooks(t);
    const secret = test.create({ name: 'ci', source: 'gitlab' });
    const headers = standardHeaders(secret, PIPELINE);
    const without = await test.post('/hooks/ci', { headers, body: PIPELINE });
    const [one] = without.json['deliveries'] as readonly Record<string, unknown>[];
    assert.equal(one?.['reason'], 'hook-without-image');
  });
});

describe('the body of a delivery', () => {
  const open = async (t: Parameters<typeof startHooks>[0]) => {
    const test = await startHooks(t);
    const secret = test.create({ name: 'gitea', source: 'gitea', registry: 'ghcr.io' });
    const send = (body: string, signed: string, rest: Readonly<Record<string, string>> = {}) =>
      test.post('/hooks/gitea', {
        headers: {
          ...{ 'x-gitea-event': 'package', 'x-gitea-delivery': 'guid-1' },
          ...{ 'x-gitea-signature': hmac(secret, signed), ...rest },
        },
        body,
      });
    return { ...test, secret, send };
  };
  const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

  test('as a form is that of its field, which Gitea signs', async (t) => {
    const { send, tasks, store } = await open(t);
    const body = new URLSearchParams({ payload: GITEA }).toString();
    assert.equal((await send(body, GITEA, FORM)).json['verdict'], 'accepted');
    const [task] = tasks();
    const [row] = store.deliveries.listByTask(task?.id ?? '');
    assert.equal(row?.body_bytes, Buffer.byteLength(GITEA));
    assert.equal((await send(body, body, FORM)).status, 401);
  });

  test('that is no JSON object is refused after it has opened the hook, not before', async (t) => {
    const { send } = await open(t);
    for (const body of ['', '[]', 'null', '{', '\u0000', '"x"']) {
      const good = await send(body, body);
      assert.deepEqual([good.status, good.json['code']], [400, 'BODY_NOT_JSON'], body);
      assert.deepEqual(pick(await send(body, `${body} `)), REFUSED);
    }
  });

  test('without its headers is refused after it has opened the hook', async (t) => {
    const { send } = await open(t);
    const { status, json } = await send(GITEA, GITEA, { 'x-gitea-event': '' });
    assert.deepEqual([status, json['code']], [400, 'WEBHOOK_HEADER_MISSING']);
  });

  test('that is too large is refused, announced or not', async (t) => {
    const { send, port } = await open(t);
    const large = 'x'.repeat(MAX_BODY_BYTES + 1);
    for (const rest of [{ 'content-length': String(large.length) }, {}]) {
      const { status, json } = await send(large, large, rest);
      assert.deepEqual([status, json['code']], [413, 'BODY_TOO_LARGE']);
    }
    assert.ok(port);
  });

  test('of any type is read as the JSON that it is', async (t) => {
    const { send } = await open(t);
    for (const type of ['text/plain', 'application/json; charset=utf-8', 'application/x+json']) {
      assert.ok((await send(GITEA, GITEA, { 'content-type': type })).status < 300, type);
    }
  });

  test('of GitHub as a form is signed whole, and what is in it is read', async (t) => {
    const { create, post, tasks } = await startHooks(t);
    const secret = create({ name: 'github', source: 'github' });
    const body = new URLSearchParams({ payload: GITHUB }).toString();
    const headers = { 'x-github-event': 'package', 'x-github-delivery': 'guid-1', ...FORM };
    const send = (signed: string) =>
      post('/hooks/github', {
        ...{ body, headers: { ...headers, 'x-hub-signature-256': sign(signed, secret) } },
      });
    assert.deepEqual(pick(await send(GITHUB)), REFUSED);
    assert.equal((await send(body)).json['verdict'], 'accepted');
    assert.equal(tasks().length, 2);
  });

  test('that does not fit is kept for a person; one without any secret is not', async (t) => {
    const { send, post, bad } = await open(t);
    await post('/hooks/gitea', { body: '{"a":1}' });
    assert.equal(bad.length, 0);
    await send(GITEA, 'another');
    assert.equal(bad[0]?.toString(), GITEA);
  });
});

describe('a secret of a hook', () => {
  test('is in no file, no log and no event, whatever it was used for', async (t) => {
    const test = await startHooks(t);
    const { create, post, hooks, tasks, events, readFiles, log } = test;
    const texts = [
      create({ name: 'ci', source: 'generic' }),
      create({ name: 'forge', source: 'github' }),
      create({ name: 'hub', source: 'docker-hub' }),
      create({ name: 'reg', source: 'distribution', registry: 'ghcr.io' }),
      create({ name: 'lab', source: 'gitlab', scheme: 'shared-token' }),
    ];
    const [ci = '', forge = '', hub = '', reg = '', lab = ''] = texts;
    const rotated = hooks.rotate('hub', true, 'admin');
    assert.ok(rotated.ok);
    texts.push(rotated.value.secret.text);
    await post('/hooks/ci', { headers: standardHeaders(ci, GENERIC), body: GENERIC });
    await post('/hooks/forge', {
      headers: { 'x-hub-signature-256': sign(GITHUB, forge) },
      body: GITHUB,
    });
    for (const secret of [hub, rotated.value.secret.text]) {
      await post(`/hooks/hub/${secret}`, { body: HUB });
      // Where it does not belong.
      for (const path of [
        ...[`/hooks/hub/${secret}/more`, `/hooks/none/${secret}`, `/hooks/${secret}`, `/${secret}`],
        ...[`/%68ooks/hub/${secret}`, `/podup/hooks/hub/${secret}`, `/hooks/hub/${secret}%zz`],
        ...[`/hooks/hub/${secret}?token=${secret}`, `/hooks/hub/${secret}${'x'.repeat(300)}`],
      ]) {
        await post(path, { body: HUB });
      }
    }
    await post('/hooks/reg', { headers: bearer(reg), body: DISTRIBUTION });
    await post('/hooks/reg', { headers: bearer(lab), body: DISTRIBUTION });
    await post('/hooks/lab', { headers: { 'x-gitlab-token': lab }, body: PIPELINE });
    assert.ok(tasks().length > 0);
    events.flush();
    const all = `${readFiles()}\n${log.join('\n')}`;
    for (const text of texts) {
      const bare = text.replace(/^whsec_|^puh_/, '');
      const bytes = Buffer.from(bare, 'base64');
      for (const form of [text, bare, encodeURIComponent(bare), bytes.toString('latin1')]) {
        assert.ok(!all.includes(form), `${text} as ${JSON.stringify(form.slice(0, 20))}`);
      }
    }
    // What is looked for would be found.
    assert.ok(all.includes('/hooks/hub/***'));
  });
});
