import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ADMIN_ACCESS, MONITOR_ACCESS } from '../../../../app/domain/access.ts';
import { createAdminGate } from '../../../../app/http/admin-gate.ts';
import { registerMetrics } from '../../../../app/http/routes/metrics.ts';
import { ask, askAdmin, startApp, TOKEN } from '../http-fixture.ts';

const MONITOR = 'zgeheim-monitor';
const ADMIN = { name: 'PODUP_TOKEN', secret: TOKEN, access: ADMIN_ACCESS };
const monitor = (secret: string) => ({ name: 'monitor', secret, access: MONITOR_ACCESS });

function start(context: TestContext, over: { token?: string; isOpen?: boolean } = {}) {
  const { token, isOpen = false } = over;
  const values = [{ labels: { unit: 'a"b\\c\nd' }, value: 1 }];
  return startApp(context, {
    excluded: ['metrics'],
    prepare: (app) =>
      registerMetrics(app, {
        gate: createAdminGate({ tokens: token === undefined ? [ADMIN] : [ADMIN, monitor(token)] }),
        isOpen,
        list: () => Promise.resolve([{ name: 'podup_x', help: 'X.', type: 'gauge', values }]),
      }),
  });
}

async function statusOf(port: number, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await ask(port, { path: '/metrics', headers })).status;
}

describe('GET /metrics', () => {
  test('is for admins, and what comes from outside stays within its quotes', async (t) => {
    const { port } = await start(t);
    assert.equal(await statusOf(port), 401);
    assert.equal(await statusOf(port, MONITOR), 401);
    const { status, headers, text } = await askAdmin(port, '/metrics');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(text, /^podup_x\{unit="a\\"b\\\\c\\nd"\} 1$/m);
  });

  test('is for a monitor with its own token, which opens nothing else', async (t) => {
    const { port } = await start(t, { token: MONITOR });
    assert.equal(await statusOf(port, MONITOR), 200);
    assert.equal(await statusOf(port, TOKEN), 200);
    assert.equal(await statusOf(port, 'something else'), 401);
    const headers = { authorization: `Bearer ${MONITOR}` };
    assert.equal((await ask(port, { path: '/api/tasks', headers })).status, 401);
  });

  test('is for everybody where that is set, and leaves no event while it goes well', async (t) => {
    const { port, events, store } = await start(t, { isOpen: true });
    assert.equal(await statusOf(port), 200);
    await events.settle();
    assert.equal(store.events.newest(), 0);
  });
});
