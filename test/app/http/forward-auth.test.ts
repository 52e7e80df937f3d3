import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import * as z from 'zod';
import { ADMIN_ACCESS } from '../../../app/domain/access.ts';
import { createAdminGate } from '../../../app/http/admin-gate.ts';
import { createForwardAuth } from '../../../app/http/forward-auth.ts';
import { route, serveRoutes } from '../../../app/http/serve-routes.ts';
import { matchAddresses } from '../../../shared/config/address-ranges.ts';
import { ask, startApp, TOKEN } from './http-fixture.ts';

const view = z.strictObject({ actor: z.string(), ip: z.string() });

/** A route that looks and one that changes; the test itself is at 127.0.0.1. */
function start(context: TestContext, proxies: readonly string[]) {
  const isTrusted = matchAddresses(proxies);
  const gate = createAdminGate({
    tokens: [{ name: 'PODUP_TOKEN', secret: TOKEN, access: ADMIN_ACCESS }],
    forwardAuth: createForwardAuth({
      ...{ header: 'Remote-Groups', adminValue: 'admins', nicknameHeader: 'Remote-User' },
      isTrusted,
    }),
  });
  const form = { url: '/probe', summary: '', needs: 'admin', answers: { 200: view } } as const;
  return startApp(context, {
    isProxy: isTrusted,
    prepare: (app) =>
      serveRoutes(app, { action: 'probe', gate }, [
        route({ ...form, method: 'GET' }, (_given, { note, ip }) => ({
          actor: note.actor ?? '',
          ip,
        })),
        route({ ...form, method: 'POST' }, (_given, { note, ip }) => ({
          actor: note.actor ?? '',
          ip,
        })),
      ]),
  });
}

const ADMIN = { 'remote-groups': 'admins', 'remote-user': 'ann' };
const CSRF = { 'x-podup-csrf': '1' };
const HERE = ['127.0.0.0/8'];
const ELSEWHERE = ['10.0.0.0/8'];

describe('ForwardAuth', () => {
  test('of a trusted proxy admits, and the person is the actor', async (t) => {
    const { port, events, store } = await start(t, HERE);
    const headers = { ...ADMIN, 'x-forwarded-for': '203.0.113.9' };
    const { status, json } = await ask(port, { path: '/probe', headers });
    assert.deepEqual([status, json], [200, { actor: 'person:ann', ip: '203.0.113.9' }]);
    await events.settle();
    const [event] = store.events.list({ limit: 1 }).rows;
    assert.deepEqual([event?.actor, event?.remote_address], ['person:ann', '203.0.113.9']);
  });

  const SPOOFS: readonly (readonly [title: string, headers: Record<string, string>])[] = [
    ['the header alone', ADMIN],
    [
      'the header and an address of a proxy in X-Forwarded-For',
      { ...ADMIN, 'x-forwarded-for': '10.0.0.2' },
    ],
    ['a chain of proxies', { ...ADMIN, 'x-forwarded-for': '127.0.0.1, 10.0.0.2' }],
    ['Forwarded and X-Real-IP', { ...ADMIN, forwarded: 'for=10.0.0.2', 'x-real-ip': '10.0.0.2' }],
    ['the header in capitals', { 'REMOTE-GROUPS': 'admins' }],
  ];
  for (const [title, headers] of SPOOFS) {
    for (const method of ['GET', 'POST']) {
      test(`of anybody else is refused: ${method} with ${title}`, async (t) => {
        const { port, events, store } = await start(t, ELSEWHERE);
        const all = { ...headers, ...CSRF };
        const { status, json } = await ask(port, { method, path: '/probe', headers: all });
        assert.deepEqual([status, json['code']], [401, 'FORWARD_AUTH_UNTRUSTED']);
        await events.settle();
        const [event] = store.events.list({ limit: 1 }).rows;
        // The address is that of the connection, whatever is said of it.
        assert.deepEqual([event?.actor, event?.remote_address], [null, '127.0.0.1']);
      });
    }
  }

  for (const value of ['admin', 'admins ', 'ADMINS', 'users', 'admins, users', 'users, admins']) {
    test(`with the value ${JSON.stringify(value)} admits nobody`, async (t) => {
      const { port } = await start(t, HERE);
      const { status, json } = await ask(port, {
        path: '/probe',
        headers: { 'remote-groups': value },
      });
      // What stands around a value is no part of it (RFC 9110 §5.5).
      if (value.trim() === 'admins') assert.equal(status, 200);
      else assert.deepEqual([status, json['code']], [401, 'FORWARD_AUTH_REFUSED']);
    });
  }

  test('that comes twice admits nobody: one of them is not of the proxy', async (t) => {
    const { port } = await start(t, HERE);
    const headers = { 'remote-groups': ['admins', 'admins'] as unknown as string };
    const { json } = await ask(port, { path: '/probe', headers });
    assert.equal(json['code'], 'FORWARD_AUTH_REFUSED');
  });

  test('needs the header against other sites for each change', async (t) => {
    const { port } = await start(t, HERE);
    const post = (headers: object) =>
      ask(port, { method: 'POST', path: '/probe', headers: { ...ADMIN, ...headers } });
    assert.equal((await post({})).json['code'], 'CSRF_HEADER_MISSING');
    assert.equal((await post({ 'x-podup-csrf': '0' })).json['code'], 'CSRF_HEADER_MISSING');
    assert.equal((await post(CSRF)).status, 200);
    for (const [headers, is] of [
      [{ 'sec-fetch-site': 'same-origin' }, 200],
      [{ 'sec-fetch-site': 'none' }, 200],
      [{ 'sec-fetch-site': 'same-site' }, 403],
      [{ 'sec-fetch-site': 'cross-site' }, 403],
      [{ 'sec-fetch-site': 'cross-site', origin: `http://127.0.0.1:${port}` }, 403],
      [{ origin: `http://127.0.0.1:${port}` }, 200],
      [{ origin: 'https://evil.example' }, 403],
      [{ origin: 'null' }, 403],
      [{ origin: 'https://podup.example', 'x-forwarded-host': 'podup.example' }, 200],
      [{ origin: 'https://evil.example', 'x-forwarded-host': 'podup.example' }, 403],
    ] as const) {
      const { status, json } = await post({ ...CSRF, ...headers });
      const said = JSON.stringify(headers);
      assert.deepEqual(
        [status, json['code']],
        [is, is === 200 ? undefined : 'CROSS_SITE_REQUEST'],
        said,
      );
    }
  });

  test('gives way to a token, which needs no such header', async (t) => {
    const { port } = await start(t, ELSEWHERE);
    const headers = { ...ADMIN, authorization: `Bearer ${TOKEN}`, origin: 'https://evil.example' };
    const { status, json } = await ask(port, { method: 'POST', path: '/probe', headers });
    assert.deepEqual([status, json['actor']], [200, 'token:PODUP_TOKEN']);
    const wrong = { ...ADMIN, authorization: 'Bearer wrong-token' };
    assert.equal(
      (await ask(port, { path: '/probe', headers: wrong })).json['code'],
      'ADMIN_TOKEN_INVALID',
    );
  });

  test('has a name that fits in a line of a record', async (t) => {
    const { port } = await start(t, HERE);
    const nameOf = async (name: string) => {
      const headers = { ...ADMIN, 'remote-user': name };
      return (await ask(port, { path: '/probe', headers })).json['actor'];
    };
    assert.equal(await nameOf(Buffer.from('Zoë 李').toString('latin1')), 'person:Zoë 李');
    assert.equal(await nameOf('a\tb'), 'person:a b');
    assert.equal(await nameOf('x'.repeat(500)), `person:${'x'.repeat(100)}`);
    assert.equal(await nameOf(' '), 'person:admin', 'the value is for nobody to read');
  });
});
