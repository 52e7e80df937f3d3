import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json as readJson } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { digestToken } from '../../../../app/access/secrets.ts';
import type { ServedForm } from '../../../../app/api/route-form.ts';
import { openStore } from '../../../../app/db/store.ts';
import type { Need } from '../../../../app/domain/access.ts';
import { ask, TOKEN } from '../http-fixture.ts';
import { ROWS } from './rows.ts';
import { BEYOND_WEB, RULES } from './rules.ts';
import { serveAll, type World } from './serve-all.ts';

type Shown = {
  readonly headers: Readonly<Record<string, string>>;
  /** What it allows. */
  readonly needs: readonly Need[];
  /** The refusal where it does not; one for each kind of request. */
  readonly refusal: readonly [status: number, code: string];
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const CSRF = { 'x-podup-csrf': '1' };
const NOTHING: readonly Need[] = [];
const OUT: Shown['refusal'] = [403, 'SCOPE_MISSING'];
const MANUAL = 'zgeheim-manual-token';
const METRICS = 'zgeheim-metrics-token';
const NOT_OURS = `podup_${'A'.repeat(43)}`;
const EXPIRED = `podup_${'E'.repeat(43)}`;

let folder = '';
let world: World;
const tokens: Record<string, string> = {};
const cookies: Record<string, string> = {};

async function makeToken(name: string, ...scopes: string[]): Promise<void> {
  const answer = await ask(world.port, {
    ...{ method: 'POST', path: '/api/tokens', body: JSON.stringify({ name, scopes }) },
    headers: { ...bearer(TOKEN), 'content-type': 'application/json' },
  });
  assert.equal(answer.status, 201, answer.text);
  tokens[name] = String(answer.json['token']);
}

async function signIn(name: string): Promise<void> {
  const answer = await ask(world.port, {
    ...{ method: 'POST', path: '/api/session', body: JSON.stringify({ token: tokens[name] }) },
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(answer.status, 200, answer.text);
  cookies[name] = String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
  // People reach it by https, as PODUP_PUBLIC_BASE_URL says.
  assert.match(String(answer.headers['set-cookie']), /^__Host-.*; Secure$/);
}

/**
 * Written by another process: whoever serves hears of it by the commit. The same commit revokes a token that somebody listens
 * with, so the end of that stream tells that it was heard.
 */
async function addExpiredToken(): Promise<void> {
  await makeToken('listener', 'read');
  const listening = request({
    ...{ host: '127.0.0.1', port: world.port, path: '/sse/events', agent: false },
    headers: bearer(tokens['listener'] ?? ''),
  });
  listening.end();
  const [stream] = (await once(listening, 'response')) as [IncomingMessage];
  assert.equal(stream.statusCode, 200);
  const ended = once(stream.resume(), 'end');
  const opened = openStore(world.database, { version: '0.0.0', nowMs: 1_000 });
  assert.ok(opened.ok);
  const { accessTokens, transact, close } = opened.value;
  transact(() => {
    accessTokens.add({
      ...{ id: 'tok_expired', name: 'expired', digest: digestToken(EXPIRED), scopes: '["admin"]' },
      ...{ created_at: 1_000, created_by: 'a test', expires_at: 2_000 },
    });
    accessTokens.revoke(accessTokens.findLive('listener')?.id ?? '', 'a test', Date.now());
  });
  close();
  await ended;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'podup access é '));
  world = await serveAll(folder, {
    PODUP_MANUAL_TOKEN: MANUAL,
    PODUP_METRICS_TOKEN: METRICS,
    PODUP_FWD_AUTH_HEADER: 'Remote-Groups',
    PODUP_FWD_AUTH_ADMIN_VALUE: 'admins',
    PODUP_TRUSTED_PROXIES: '10.0.0.0/8',
  });
  await makeToken('reader', 'read');
  await makeToken('web', 'deploy:web');
  await makeToken('api', 'deploy:api');
  await makeToken('all', 'deploy:*');
  await makeToken('boss', 'admin');
  await makeToken('gone', 'admin');
  await makeToken('left', 'admin');
  for (const name of ['reader', 'boss', 'gone', 'left']) await signIn(name);
  const revoke = { method: 'DELETE', path: '/api/tokens/gone', headers: bearer(TOKEN) };
  assert.equal((await ask(world.port, revoke)).status, 200);
  const headers = { ...CSRF, cookie: cookies['left'] ?? '' };
  assert.equal(
    (await ask(world.port, { method: 'DELETE', path: '/api/session', headers })).status,
    204,
  );
  await addExpiredToken();
});

after(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const ALL: readonly Need[] = ['monitor', 'read', 'deploy', 'admin'];

/** Everything that somebody may show. Those of `deploy` for some units are told apart by the claim of the request. */
const shown = (): Readonly<Record<string, Shown>> => ({
  nothing: { headers: {}, needs: NOTHING, refusal: [401, 'ADMIN_TOKEN_MISSING'] },
  'a wrong token': {
    headers: bearer('wrong-token'),
    needs: NOTHING,
    refusal: [401, 'ADMIN_TOKEN_INVALID'],
  },
  'a token of the right form that is not ours': {
    headers: bearer(NOT_OURS),
    needs: NOTHING,
    refusal: [401, 'ADMIN_TOKEN_INVALID'],
  },
  'an empty token': {
    headers: { authorization: 'Bearer ' },
    needs: NOTHING,
    refusal: [401, 'ADMIN_TOKEN_MISSING'],
  },
  'the token as a password': {
    headers: { authorization: `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}` },
    needs: NOTHING,
    refusal: [401, 'ADMIN_TOKEN_MISSING'],
  },
  'an expired token': { headers: bearer(EXPIRED), needs: NOTHING, refusal: [401, 'TOKEN_EXPIRED'] },
  'a revoked token': {
    headers: bearer(tokens['gone'] ?? ''),
    needs: NOTHING,
    refusal: [401, 'TOKEN_REVOKED'],
  },
  'most of a revoked token': {
    headers: bearer(tokens['gone']?.slice(0, -1) ?? ''),
    needs: NOTHING,
    refusal: [401, 'ADMIN_TOKEN_INVALID'],
  },
  'most of a good token': {
    headers: bearer(tokens['boss']?.slice(0, -1) ?? ''),
    needs: NOTHING,
    refusal: [401, 'ADMIN_TOKEN_INVALID'],
  },
  'the digest of a good token': {
    headers: bearer(digestToken(tokens['boss'] ?? '')),
    needs: NOTHING,
    refusal: [401, 'ADMIN_TOKEN_INVALID'],
  },
  'the session of a revoked token': {
    headers: { ...CSRF, cookie: cookies['gone'] ?? '' },
    needs: NOTHING,
    refusal: [401, 'SESSION_ENDED'],
  },
  'a session that was left': {
    headers: { ...CSRF, cookie: cookies['left'] ?? '' },
    needs: NOTHING,
    refusal: [401, 'SESSION_ENDED'],
  },
  'a session that never was': {
    headers: { ...CSRF, cookie: `__Host-podup_session=${'x'.repeat(43)}` },
    needs: NOTHING,
    refusal: [401, 'SESSION_ENDED'],
  },
  'a token in a cookie': {
    headers: { ...CSRF, cookie: `__Host-podup_session=${tokens['boss']}` },
    needs: NOTHING,
    refusal: [401, 'ADMIN_TOKEN_MISSING'],
  },
  'ForwardAuth from elsewhere': {
    headers: { ...CSRF, 'remote-groups': 'admins', 'x-forwarded-for': '10.0.0.2' },
    needs: NOTHING,
    refusal: [401, 'FORWARD_AUTH_UNTRUSTED'],
  },
  'the token of a monitor': { headers: bearer(METRICS), needs: ['monitor'], refusal: OUT },
  read: { headers: bearer(tokens['reader'] ?? ''), needs: ['monitor', 'read'], refusal: OUT },
  'a session with read': {
    headers: { ...CSRF, cookie: cookies['reader'] ?? '' },
    needs: ['monitor', 'read'],
    refusal: OUT,
  },
  'deploy:*': { headers: bearer(tokens['all'] ?? ''), needs: ['deploy'], refusal: OUT },
  PODUP_MANUAL_TOKEN: { headers: bearer(MANUAL), needs: ['deploy'], refusal: OUT },
  admin: { headers: bearer(tokens['boss'] ?? ''), needs: ALL, refusal: OUT },
  'a session with admin': {
    headers: { ...CSRF, cookie: cookies['boss'] ?? '' },
    needs: ALL,
    refusal: OUT,
  },
  PODUP_TOKEN: { headers: bearer(TOKEN), needs: ALL, refusal: OUT },
});

test('every route that is served has its rule, and every rule is that of a route', () => {
  const served = world.app.servedForms.map((form) => [nameOf(form), form.needs]).sort();
  const rules = Object.entries(RULES).flatMap(([need, names]) => names.map((name) => [name, need]));
  assert.deepEqual(served, rules.sort());
});

describe('a request that is refused', () => {
  test('is refused on every route, whatever is shown, and nothing is done', async () => {
    const before = await countAll();
    for (const [title, { headers, needs, refusal }] of Object.entries(shown())) {
      for (const form of guarded()) {
        if (needs.includes(form.needs)) continue;
        assert.deepEqual(
          await call(form, headers),
          refusalOf(form, refusal),
          `${title}: ${nameOf(form)}`,
        );
      }
    }
    assert.deepEqual(await countAll(), before);
  });

  test('is refused where its units are beyond the scope, and nothing is done', async () => {
    const before = await countAll();
    for (const form of guarded().filter(({ needs }) => needs === 'deploy')) {
      for (const [name, isBeyond] of [
        ['web', BEYOND_WEB.includes(nameOf(form))],
        ['api', nameOf(form) !== 'POST /api/tasks/:id/stop'],
      ] as const) {
        if (!isBeyond) continue;
        assert.deepEqual(
          await call(form, bearer(tokens[name] ?? '')),
          OUT,
          `${name}: ${nameOf(form)}`,
        );
      }
    }
    assert.deepEqual(await countAll(), before);
  });

  test('is refused with a session where a page of another site may have made it', async () => {
    const before = await countAll();
    for (const form of guarded().filter(({ method }) => method !== 'GET' && method !== 'HEAD')) {
      const cookie = cookies['boss'] ?? '';
      const rows = [
        [{ cookie }, 'CSRF_HEADER_MISSING'],
        [{ cookie, ...CSRF, 'sec-fetch-site': 'cross-site' }, 'CROSS_SITE_REQUEST'],
        [{ cookie, ...CSRF, 'sec-fetch-site': 'same-site' }, 'CROSS_SITE_REQUEST'],
        [{ cookie, ...CSRF, origin: 'https://evil.example' }, 'CROSS_SITE_REQUEST'],
      ] as const;
      for (const [headers, code] of rows) {
        assert.deepEqual(await call(form, headers), [403, code], nameOf(form));
      }
    }
    assert.deepEqual(await countAll(), before);
  });

  test('is refused with a method that nobody takes, before that is said', async () => {
    const urls = Map.groupBy(world.app.servedForms, ({ url }) => url);
    for (const [, forms] of urls) {
      const [form] = forms;
      assert.ok(form);
      // Of the paths that older scripts know everybody is told how they are called.
      const isOld = /^\/(?:api\/manual\/(?!services$)|auto-update)/.test(form.url);
      const isOpen = isOld || forms.every(({ needs }) => needs === 'anyone' || needs === 'hook');
      for (const method of ['GET', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS']) {
        if (forms.some((one) => one.method === method)) continue;
        const [status] = await call({ ...form, method: method as 'GET' }, {}, nameOf(form));
        assert.equal(status, isOpen ? 405 : 401, `${method} ${form.url}`);
      }
    }
  });
});

test('a delivery is not believed for the token of an admin', async () => {
  for (const form of world.app.servedForms.filter(({ needs }) => needs === 'hook')) {
    const headers = { ...bearer(TOKEN), 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
    const [status] = await call(form, headers);
    assert.equal(status, 401, nameOf(form));
  }
});

test('who may call a route is let in', async () => {
  for (const [title, { headers, needs }] of Object.entries(shown())) {
    for (const form of world.app.servedForms.filter(isTried)) {
      if (form.needs !== 'anyone' && !needs.includes(form.needs)) continue;
      const [status, code] = await call(form, headers);
      assert.ok(status !== 401 && status !== 403, `${title}: ${nameOf(form)}: ${status} ${code}`);
    }
  }
  for (const form of guarded().filter(({ needs }) => needs === 'deploy')) {
    if (BEYOND_WEB.includes(nameOf(form))) continue;
    const [status] = await call(form, bearer(tokens['web'] ?? ''));
    assert.ok(status !== 401 && status !== 403, `${nameOf(form)}: ${status}`);
  }
});

/** What signing in and out come to is tried elsewhere. */
function isTried({ url }: ServedForm): boolean {
  return !url.startsWith('/api/session');
}

function nameOf({ method, url }: Pick<ServedForm, 'method' | 'url'>): string {
  return `${method} ${url}`;
}

function guarded(): ServedForm[] {
  return world.app.servedForms.filter(({ needs }) => needs !== 'anyone' && needs !== 'hook');
}

/** Nothing stands in the answer to HEAD. */
function refusalOf({ method }: ServedForm, [status, code]: Shown['refusal']) {
  return [status, method === 'HEAD' ? undefined : code];
}

/** Status and code of the first call that a route takes; of a stream only the head is read. */
async function call(
  form: ServedForm,
  headers: Readonly<Record<string, string>>,
  row = nameOf(form),
): Promise<readonly [number | undefined, unknown]> {
  const [one] = ROWS[row]?.(world) ?? [];
  const { path = form.url, body, raw, headers: own } = one ?? { is: 0 };
  const isRead = form.method === 'GET' || form.method === 'HEAD';
  const text = isRead ? undefined : (raw ?? (body && JSON.stringify(body)));
  const sent = request({
    ...{ host: '127.0.0.1', port: world.port, method: form.method, path, agent: false },
    headers: { ...(text && bodyHeaders(text)), ...own, ...headers },
  });
  sent.end(text);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  sent.on('error', () => {});
  const isProblem = response.headers['content-type']?.startsWith('application/problem+json');
  const problem = isProblem && form.method !== 'HEAD' ? await readJson(response) : {};
  response.destroy();
  return [response.statusCode, (problem as { code?: string }).code];
}

function bodyHeaders(text: string) {
  // Node frames the body of a DELETE by nothing else.
  return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
}

/** What a change would leave, but for the record of who tried. */
async function countAll(): Promise<unknown> {
  const paths = [
    '/api/tasks/counts',
    '/api/quarantine',
    '/api/hooks',
    '/api/attention',
    '/api/self-update/history',
  ];
  const answers = await Promise.all(
    paths.map((path) => ask(world.port, { path, headers: bearer(TOKEN) })),
  );
  const listed = await ask(world.port, { path: '/api/tokens', headers: bearer(TOKEN) });
  const names = (listed.json['tokens'] as { name: string; state: string }[]).map(
    ({ name, state }) => [name, state],
  );
  return [...answers.map(({ json }) => json), names];
}
