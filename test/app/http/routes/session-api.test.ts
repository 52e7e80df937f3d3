import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { registerSessionApi } from '../../../../app/http/routes/session-api.ts';
import { createKnownUnits } from '../../../../app/units/known-units.ts';
import { adminGate, ask, askAdmin, startApp } from '../http-fixture.ts';

const known = createKnownUnits({
  ...{ listed: ['web.service'], autoDiscover: false, readFound: () => [] },
});

function start(context: TestContext) {
  return startApp(context, {
    prepare: (app) => registerSessionApi(app, { gate: adminGate(), known }),
  });
}

describe('GET /api/session', () => {
  test('tells an admin how that is known, and what may be done to which unit', async (t) => {
    const { port } = await start(t);
    const { status, json } = await askAdmin(port, '/api/session');
    assert.equal(status, 200);
    const yes = { allowed: true, reason: null };
    assert.deepEqual(json, {
      caller: 'token:PODUP_TOKEN',
      recognised_by: 'token',
      refusal: null,
      scopes: ['admin', 'read', 'deploy:*'],
      ends_at: null,
      may: ['read', 'deploy', 'manage', 'self-update'],
      units: [{ unit: 'web.service', deploy: yes, deploy_all: yes, webhook: yes, schedule: yes }],
    });
  });

  for (const [title, headers, code] of [
    ['without a token', {}, 'ADMIN_TOKEN_MISSING'],
    ['with a wrong one', { authorization: 'Bearer wrong' }, 'ADMIN_TOKEN_INVALID'],
  ] as const) {
    test(`${title} nobody is known, and what to do is told; no unit is`, async (t) => {
      const { port } = await start(t);
      const { status, json, text } = await ask(port, { path: '/api/session', headers });
      assert.equal(status, 200);
      assert.equal((json['refusal'] as { code: string }).code, code);
      assert.deepEqual([json['caller'], json['may'], json['units']], [null, [], []]);
      assert.doesNotMatch(text, /web\.service/);
    });
  }
});
