import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, TOKEN } from '../http-fixture.ts';
import { listen } from '../sse-listener.ts';
import { serveAll, type World } from './serve-all.ts';

let folder = '';
let world: World;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'podup sessions é '));
  world = await serveAll(folder, {
    ...{ PODUP_TRUSTED_PROXIES: '127.0.0.1', PODUP_PUBLIC_BASE_URL: '' },
  });
});

after(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const JSON_BODY = { 'content-type': 'application/json' };
const CSRF = { 'x-podup-csrf': '1' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function signIn(token: string, headers: Readonly<Record<string, string>> = {}) {
  const body = JSON.stringify({ token });
  const all = { ...JSON_BODY, ...headers };
  return ask(world.port, { method: 'POST', path: '/api/session', headers: all, body });
}

const cookieOf = (headers: { 'set-cookie'?: string[] | undefined }) =>
  headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';

async function makeToken(name: string, scopes: readonly string[]): Promise<string> {
  const { json, text } = await ask(world.port, {
    ...{ method: 'POST', path: '/api/tokens', body: JSON.stringify({ name, scopes }) },
    headers: { ...bearer(TOKEN), ...JSON_BODY },
  });
  assert.ok(json['token'], text);
  return String(json['token']);
}

const revoke = (name: string) =>
  ask(world.port, { method: 'DELETE', path: `/api/tokens/${name}`, headers: bearer(TOKEN) });

describe('a session', () => {
  test('begins with a token, is told apart from it, and ends when it is left', async () => {
    const { status, headers, json, text } = await signIn(TOKEN);
    assert.equal(status, 200, text);
    assert.deepEqual([json['caller'], json['recognised_by']], ['session:PODUP_TOKEN', 'session']);
    const [set = ''] = headers['set-cookie'] ?? [];
    assert.match(set, /^podup_session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.ok(!set.includes(TOKEN) && !text.includes(TOKEN));
    const cookie = cookieOf(headers);
    const who = await ask(world.port, { path: '/api/session', headers: { cookie } });
    assert.deepEqual(
      [who.json['caller'], who.json['may']],
      ['session:PODUP_TOKEN', ['read', 'deploy', 'manage', 'self-update']],
    );
    assert.equal((await ask(world.port, { path: '/api/tasks', headers: { cookie } })).status, 200);

    const leave = { method: 'DELETE', path: '/api/session' };
    const without = await ask(world.port, { ...leave, headers: { cookie } });
    assert.deepEqual([without.status, without.json['code']], [403, 'CSRF_HEADER_MISSING']);
    const left = await ask(world.port, { ...leave, headers: { cookie, ...CSRF } });
    assert.equal(left.status, 204);
    assert.match(left.headers['set-cookie']?.[0] ?? '', /^podup_session=; Max-Age=0; /);
    const gone = await ask(world.port, { path: '/api/tasks', headers: { cookie } });
    assert.deepEqual([gone.status, gone.json['code']], [401, 'SESSION_ENDED']);
  });

  test('is sent over https only where a trusted proxy speaks https', async () => {
    const { headers } = await signIn(TOKEN, { 'x-forwarded-proto': 'https' });
    const [set = ''] = headers['set-cookie'] ?? [];
    assert.match(
      set,
      /^__Host-podup_session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    const cookie = `podup_session=${'x'.repeat(43)}; other=1; ${cookieOf(headers)}`;
    const askAs = (given: string) =>
      ask(world.port, {
        ...{ path: '/api/tasks', headers: { cookie: given, 'x-forwarded-proto': 'https' } },
      });
    assert.equal((await askAs(cookie)).status, 200);
    // Any other host of the domain can have set one of this name.
    const plain = await askAs(cookieOf((await signIn(TOKEN)).headers));
    assert.deepEqual([plain.status, plain.json['code']], [401, 'ADMIN_TOKEN_MISSING']);
  });

  test('has only what its token has, and leaves its name in events and tasks', async () => {
    const token = await makeToken('web-deployer', ['read', 'deploy:web']);
    const cookie = cookieOf((await signIn(token)).headers);
    const deploy = (unit: string) =>
      ask(world.port, {
        ...{
          method: 'POST',
          path: '/api/tasks',
          body: JSON.stringify({ kind: 'deploy', units: [unit] }),
        },
        headers: { cookie, ...CSRF, ...JSON_BODY },
      });
    const refused = await deploy('api');
    assert.deepEqual([refused.status, refused.json['code']], [403, 'SCOPE_MISSING']);
    assert.match(
      String(refused.json['detail']),
      /deploy:api; session:web-deployer has read, deploy:web\.service/,
    );
    const done = await deploy('web');
    const [task] = done.json['tasks'] as { task_id: string }[];
    const { json } = await ask(world.port, {
      path: `/api/tasks/${task?.task_id}`,
      headers: { cookie },
    });
    assert.equal(
      (json['trigger'] as { caller: string }).caller,
      'session:web-deployer at 127.0.0.1',
    );
    const { json: page } = await ask(world.port, {
      path: '/api/events?action=tasks-api&limit=3',
      headers: { cookie },
    });
    const actors = (page['events'] as { actor: string }[]).map(({ actor }) => actor);
    assert.ok(
      actors.every((actor) => actor === 'session:web-deployer'),
      actors.join(),
    );
  });

  test('cannot begin with a wrong token, nor from a page of another site', async () => {
    const wrong = await signIn('wrong-token');
    assert.deepEqual(
      [wrong.status, wrong.json['code'], wrong.headers['set-cookie']],
      [401, 'ADMIN_TOKEN_INVALID', undefined],
    );
    const other = await signIn(TOKEN, { origin: 'https://evil.example' });
    assert.deepEqual(
      [other.status, other.json['code'], other.headers['set-cookie']],
      [403, 'CROSS_SITE_REQUEST', undefined],
    );
  });
});

describe('a stream', () => {
  for (const path of ['/sse/events', '/sse/self-update', '/sse/task-logs?task_id=WAITING']) {
    for (const by of ['token', 'session'] as const) {
      test(`${path} of a ${by} ends when the token is revoked`, async (t) => {
        const name = `s${by}${path.replaceAll(/\W/g, '')}`;
        const token = await makeToken(name, ['read']);
        const who =
          by === 'token' ? bearer(token) : { cookie: cookieOf((await signIn(token)).headers) };
        const real = path.replace('WAITING', world.waiting);
        const listener = await listen(t, world.port, real, undefined, who);
        const other = await listen(t, world.port, real);
        assert.equal((await revoke(name)).status, 200);
        await listener.hearOut();
        assert.equal(other.isOver, false);
      });
    }
  }

  test('of a session ends when it is left', async (t) => {
    const cookie = cookieOf((await signIn(TOKEN)).headers);
    const listener = await listen(t, world.port, '/sse/events', undefined, { cookie });
    const headers = { cookie, ...CSRF };
    assert.equal(
      (await ask(world.port, { method: 'DELETE', path: '/api/session', headers })).status,
      204,
    );
    await listener.hearOut();
  });
});
