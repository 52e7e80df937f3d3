import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createAdminGate } from '../../../app/http/admin-gate.ts';
import { adminGate, ask, startApp, TOKEN } from './http-fixture.ts';

const MISSING = 'ADMIN_TOKEN_MISSING';
const INVALID = 'ADMIN_TOKEN_INVALID';

const ROWS: readonly [title: string, header: string | undefined, code: string | undefined][] = [
  ['the token as bearer', `Bearer ${TOKEN}`, undefined],
  ['the scheme in lower case', `bearer ${TOKEN}`, undefined],
  ['the scheme in upper case', `BEARER ${TOKEN}`, undefined],
  ['more than one space', `Bearer   ${TOKEN}  `, undefined],
  ['no header', undefined, MISSING],
  ['an empty header', '', MISSING],
  ['the scheme alone', 'Bearer', MISSING],
  ['the scheme and a space', 'Bearer ', MISSING],
  ['the token without a scheme', TOKEN, MISSING],
  ['the token under another scheme', `Basic ${TOKEN}`, MISSING],
  ['two words behind the scheme', `Bearer ${TOKEN} ${TOKEN}`, MISSING],
  ['something before the scheme', `x Bearer ${TOKEN}`, MISSING],
  ['a token of 4097 characters', `Bearer ${'x'.repeat(4097)}`, MISSING],
  ['a token of 4096 characters that is not ours', `Bearer ${'x'.repeat(4096)}`, INVALID],
  ['another token of the same length', `Bearer ${TOKEN.replace(/.$/, '!')}`, INVALID],
  ['the beginning of the token', `Bearer ${TOKEN.slice(0, -1)}`, INVALID],
  ['the token and one more character', `Bearer ${TOKEN}x`, INVALID],
  ['the token in upper case', `Bearer ${TOKEN.toUpperCase()}`, INVALID],
];

/** A request with this Authorization header. */
function withHeader(authorization: string | undefined) {
  const raw = new IncomingMessage(new Socket());
  if (authorization !== undefined) raw.headers.authorization = authorization;
  return { raw, ip: '192.0.2.1' };
}

describe('admin gate', () => {
  for (const [title, header, code] of ROWS) {
    test(`${title}: ${code ?? 'admitted'}`, () => {
      const outcome = adminGate()(withHeader(header));
      assert.equal(outcome.ok ? undefined : outcome.failure.code, code);
    });
  }

  for (const header of [undefined, 'Bearer ', 'Bearer undefined', `Bearer ${TOKEN}`]) {
    test(`without a configured token ${JSON.stringify(header)} is refused`, () => {
      const outcome = createAdminGate({ tokens: [] })(withHeader(header));
      assert.equal(outcome.ok || outcome.failure.code, 'ADMIN_TOKEN_NOT_CONFIGURED');
    });
  }
});

describe('admin api: who is let in', () => {
  const PATHS = ['/api/events', '/api/tasks', '/api/tasks/tsk_0000000000000000000'];

  for (const path of PATHS) {
    test(`${path} wants a token before anything else`, async (t) => {
      const { port, events, store } = await startApp(t);
      const answer = await ask(port, { path: `${path}?limit=bogus` });
      assert.deepEqual([answer.status, answer.json['code']], [401, MISSING]);
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
      assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
      events.flush();
      const [event] = store.events.list({ limit: 1 }).rows;
      assert.deepEqual([event?.status, event?.code, event?.actor], [401, MISSING, null]);
    });
  }

  test('a token in the query admits nobody and stands in no record', async (t) => {
    const { port, events, log, readFiles } = await startApp(t);
    const path = `/api/tasks?token=${TOKEN}`;
    assert.equal((await ask(port, { path })).status, 401);
    events.flush();
    assert.ok(!`${readFiles()}${log.join('')}`.includes(TOKEN));
  });

  test('an admitted request is recorded with its actor', async (t) => {
    const { port, events, store } = await startApp(t);
    const headers = { authorization: `Bearer ${TOKEN}` };
    assert.equal((await ask(port, { path: '/api/tasks', headers })).status, 200);
    events.flush();
    const [event] = store.events.list({ limit: 1 }).rows;
    assert.deepEqual(
      [event?.actor, event?.action, event?.code],
      ['token:PODUP_TOKEN', 'tasks-api', null],
    );
  });
});
