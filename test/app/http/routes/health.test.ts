import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HealthComponent, HealthState } from '../../../../app/domain/health.ts';
import { registerHealth } from '../../../../app/http/routes/health.ts';
import { PROGRAM } from '../../../../shared/config/program-version.ts';
import { ERRORS } from '../../../../shared/contract/error-codes.ts';
import { adminGate, ask, askAdmin, startApp } from '../http-fixture.ts';

const AT = Date.parse('2030-01-02T03:04:05.000Z');
const CHECKED = '2030-01-02T03:04:05.000Z';
const SINCE = '2030-01-02T03:04:00.000Z';
const well = (component: HealthComponent): HealthState => ({
  ...{ component, failure: undefined, since: null, checkedAt: AT },
});
const ill = (component: HealthComponent, failure: HealthState['failure']): HealthState => ({
  ...{ component, failure, since: AT - 5_000, checkedAt: AT },
});
const WELL: readonly HealthState[] = [well('database'), well('podman')];
const ILL: readonly HealthState[] = [
  well('database'),
  ill('disk', { code: 'DISK_LOW', detail: '/srv/zgeheim: 5 bytes are free.' }),
  ill('podman', { code: 'PODMAN_UNAVAILABLE', detail: '' }),
];

function startHealth(context: Parameters<typeof startApp>[0], checks: readonly HealthState[]) {
  return startApp(context, {
    prepare: (app) =>
      registerHealth(app, {
        check: () => Promise.resolve(checks),
        checkOwn: () => checks.filter(({ component }) => component !== 'podman'),
        gate: adminGate(),
      }),
  });
}

describe('GET /health', () => {
  test('all is well: 200 with version and commit, and no event', async (t) => {
    const { port, events, store } = await startHealth(t, WELL);
    const answer = await ask(port, { path: '/health' });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, {
      status: 'ok',
      version: PROGRAM.version,
      commit: PROGRAM.commit,
      checks: [
        { component: 'database', ok: true, checked_at: CHECKED },
        { component: 'podman', ok: true, checked_at: CHECKED },
      ],
      db: { error: null },
      podman: { ok: true, error: null },
      issues: [],
    });
    events.flush();
    assert.deepEqual(store.events.list({ limit: 1 }).rows, []);
  });

  test('something is ill: 503 with code and hint for everybody, and no detail', async (t) => {
    const { port } = await startHealth(t, ILL);
    const answer = await ask(port, { path: '/health' });
    assert.equal(answer.status, 503);
    assert.equal(answer.json['status'], 'degraded');
    assert.doesNotMatch(answer.text, /zgeheim|detail/);
    const { sentence: message, hint } = ERRORS.DISK_LOW;
    assert.deepEqual((answer.json['checks'] as unknown[])[1], {
      component: 'disk',
      ok: false,
      code: 'DISK_LOW',
      message,
      hint,
      checked_at: CHECKED,
    });
    const issue = { component: 'disk', status: 'error', code: 'DISK_LOW', message, hint };
    assert.deepEqual((answer.json['issues'] as unknown[])[0], { ...issue, since: SINCE });
  });

  test('a warning leaves it well, and is told with what mends it', async (t) => {
    const warning = ill('linger', { code: 'LINGER_OFF', detail: 'The user is podup.' });
    const { port, events, store } = await startHealth(t, [...WELL, warning]);
    const answer = await ask(port, { path: '/health' });
    assert.deepEqual([answer.status, answer.json['status']], [200, 'ok']);
    const [issue] = answer.json['issues'] as { status: string; hint: string }[];
    assert.equal(issue?.status, 'warning');
    assert.match(issue?.hint ?? '', /loginctl enable-linger/);
    events.flush();
    assert.deepEqual(store.events.list({ limit: 1 }).rows, []);
  });

  test('of what is ill each change leaves an event, with what is wrong and no detail', async (t) => {
    let checks = WELL;
    const { port, events, store } = await startApp(t, {
      prepare: (app) =>
        registerHealth(app, {
          check: () => Promise.resolve(checks),
          checkOwn: () => checks,
          gate: adminGate(),
        }),
    });
    for (const found of [WELL, ILL, ILL, ILL.slice(0, 2), ILL.slice(0, 2), WELL, WELL]) {
      checks = found;
      await ask(port, { path: '/health' });
    }
    events.flush();
    const disk = { component: 'disk', code: 'DISK_LOW' };
    const podman = { component: 'podman', code: 'PODMAN_UNAVAILABLE' };
    const { rows } = store.events.list({ limit: 9 });
    assert.deepEqual(
      rows.map(({ status, code, meta }) => [status, code, meta && JSON.parse(meta).failing]),
      [
        [200, null, null],
        [503, 'DISK_LOW', [disk]],
        [503, 'DISK_LOW', [disk, podman]],
      ],
    );
  });

  test('each one leaves an event where none is left out', async (t) => {
    const { port, events, store } = await startApp(t, {
      excluded: [],
      prepare: (app) =>
        registerHealth(app, {
          check: () => Promise.resolve(WELL),
          checkOwn: () => WELL,
          gate: adminGate(),
        }),
    });
    for (const path of ['/health', '/health', '/health/self']) await ask(port, { path });
    events.flush();
    assert.deepEqual(
      store.events.list({ limit: 9 }).rows.map(({ path, action }) => [path, action]),
      ['/health/self', '/health', '/health'].map((path) => [path, 'health']),
    );
  });

  test('an admin is told what was seen', async (t) => {
    const { port } = await startHealth(t, ILL);
    const answer = await askAdmin(port, '/health');
    const [, disk, podman] = answer.json['checks'] as { detail?: string }[];
    assert.equal(disk?.detail, '/srv/zgeheim: 5 bytes are free.');
    assert.ok(podman && !('detail' in podman));
  });

  test('a wrong token changes nothing', async (t) => {
    const { port } = await startHealth(t, WELL);
    const headers = { authorization: 'Bearer wrong' };
    assert.equal((await ask(port, { path: '/health', headers })).status, 200);
  });

  test('another method is answered with 405 and Allow', async (t) => {
    const { port } = await startHealth(t, WELL);
    const answer = await ask(port, { method: 'POST', path: '/health' });
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET']);
  });
});

describe('GET /health/self', () => {
  test('says version and commit, and looks at nothing but ourselves', async (t) => {
    const { port, events, store } = await startHealth(t, [...WELL, ...ILL.slice(2)]);
    const answer = await ask(port, { path: '/health/self' });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, {
      status: 'ok',
      version: PROGRAM.version,
      commit: PROGRAM.commit,
      checks: [{ component: 'database', ok: true, checked_at: CHECKED }],
      db: { error: null },
      podman: { ok: true, error: null },
      issues: [],
    });
    events.flush();
    assert.deepEqual(store.events.list({ limit: 1 }).rows, []);
  });

  test('is 503 when a part of ours is ill, with details for admins only', async (t) => {
    const { port } = await startHealth(t, ILL);
    const answer = await ask(port, { path: '/health/self' });
    assert.equal(answer.status, 503);
    assert.doesNotMatch(answer.text, /zgeheim|detail/);
    assert.match((await askAdmin(port, '/health/self')).text, /zgeheim/);
  });
});
