import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import * as z from 'zod';
import { createAdminGate } from '../../../app/http/admin-gate.ts';
import { isAskedHere } from '../../../app/http/open-mode.ts';
import { route, serveRoutes } from '../../../app/http/serve-routes.ts';
import { ask, startApp } from './http-fixture.ts';

const view = z.strictObject({ actor: z.string().nullable() });

function start(context: TestContext) {
  const gate = createAdminGate({ tokens: [], isOpenTo: ({ raw }) => isAskedHere(raw) });
  const form = { url: '/probe', summary: '', needs: 'admin', answers: { 200: view } } as const;
  return startApp(context, {
    prepare: (app) =>
      serveRoutes(app, { action: 'probe', gate }, [
        route({ ...form, method: 'GET' }, (_given, { note }) => ({ actor: note.actor })),
        route({ ...form, method: 'POST' }, (_given, { note }) => ({ actor: note.actor })),
      ]),
  });
}

describe('open mode', () => {
  for (const host of ['localhost', '127.0.0.1:25111', '[::1]:25111', 'LOCALHOST:1']) {
    test(`lets in who asks ${host} on this host`, async (t) => {
      const { port } = await start(t);
      const { status, json } = await ask(port, { path: '/probe', headers: { host } });
      assert.deepEqual([status, json['actor']], [200, 'anyone']);
    });
  }

  const ROWS: readonly (readonly [title: string, headers: Readonly<Record<string, string>>])[] = [
    ['a name that was made to mean this host', { host: 'evil.example' }],
    ['a name that only begins like it', { host: '127.0.0.1.evil.example' }],
    ['localhost in another domain', { host: 'localhost.evil.example:25111' }],
    ['a proxy that says for whom it asks', { host: 'localhost', 'x-forwarded-for': '127.0.0.1' }],
    ['a proxy that says so by the standard', { host: 'localhost', forwarded: 'for=127.0.0.1' }],
    ['a proxy that says only that it is one', { host: 'localhost', via: '1.1 proxy' }],
    ['a proxy of nginx', { host: 'localhost', 'x-real-ip': '127.0.0.1' }],
  ];
  for (const [title, headers] of ROWS) {
    test(`lets nobody in through ${title}`, async (t) => {
      const { port } = await start(t);
      const { status, json } = await ask(port, { path: '/probe', headers });
      assert.deepEqual([status, json['code']], [401, 'ADMIN_TOKEN_NOT_CONFIGURED']);
    });
  }

  test('lets no page of another site change anything', async (t) => {
    const { port } = await start(t);
    const post = (headers: Readonly<Record<string, string>>) =>
      ask(port, { method: 'POST', path: '/probe', headers: { host: 'localhost', ...headers } });
    assert.equal((await post({})).json['code'], 'CSRF_HEADER_MISSING');
    const foreign = { 'x-podup-csrf': '1', origin: 'https://evil.example' };
    assert.equal((await post(foreign)).json['code'], 'CROSS_SITE_REQUEST');
    assert.equal((await post({ 'x-podup-csrf': '1' })).status, 200);
  });
});
