import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../../../app/db/store.ts';
import { ask, askAdmin, startApp, TOKEN } from '../http-fixture.ts';

const BAD = [`sha256:${'0a'.repeat(32)}`, `sha256:${'0b'.repeat(32)}`] as const;

function addBad(store: Store, digest: string, at: number, expires_at: number | null = null): void {
  store.quarantine.add({
    unit: 'web@1.service',
    digest,
    image: 'ghcr.io/o/web:stable',
    image_id: null,
    code: 'GATE_PROBE_FAILED',
    detail: 'It answered 500.',
    at,
    expires_at,
  });
}

const remove = (port: number, digest: string, unit = 'web@1.service') =>
  ask(port, {
    method: 'DELETE',
    path: `/api/quarantine/${encodeURIComponent(unit)}/${encodeURIComponent(digest)}`,
    headers: { authorization: `Bearer ${TOKEN}` },
  });

describe('/api/quarantine', () => {
  test('lists what failed, the latest first, with why and how often', async (t) => {
    const { port, store } = await startApp(t);
    addBad(store, BAD[0], 1_700_000_000_000);
    addBad(store, BAD[1], 1_700_000_001_000);
    addBad(store, BAD[0], 1_700_000_002_000);
    addBad(store, `sha256:${'0c'.repeat(32)}`, 1, 2);
    const { status, json } = await askAdmin(port, '/api/quarantine');
    assert.equal(status, 200);
    const images = json['images'] as Record<string, unknown>[];
    assert.deepEqual(
      images.map(({ digest, count }) => [digest, count]),
      [
        [BAD[0], 2],
        [BAD[1], 1],
      ],
    );
    const { error, first_at, last_at, expires_at, unit, image } = images[0] ?? {};
    assert.deepEqual(
      { first_at, last_at, expires_at, unit, image },
      {
        first_at: '2023-11-14T22:13:20.000Z',
        last_at: '2023-11-14T22:13:22.000Z',
        expires_at: null,
        unit: 'web@1.service',
        image: 'ghcr.io/o/web:stable',
      },
    );
    const { code, detail, sentence } = error as Record<string, string>;
    assert.deepEqual([code, detail], ['GATE_PROBE_FAILED', 'It answered 500.']);
    assert.ok(sentence);
  });

  test('lets one go, once, and no other', async (t) => {
    const { port, store } = await startApp(t);
    for (const digest of BAD) addBad(store, digest, 1);
    assert.equal((await remove(port, BAD[0], 'other.service')).status, 404);
    assert.equal((await remove(port, BAD[0])).status, 204);
    const again = await remove(port, BAD[0]);
    assert.deepEqual([again.status, again.json['code']], [404, 'QUARANTINE_NOT_FOUND']);
    assert.deepEqual(
      store.quarantine.list(2).map(({ digest }) => digest),
      [BAD[1]],
    );
  });

  test('is for admins only', async (t) => {
    const { port, store } = await startApp(t);
    addBad(store, BAD[0], 1);
    const path = `/api/quarantine/web@1.service/${BAD[0]}`;
    assert.equal((await ask(port, { path: '/api/quarantine' })).status, 401);
    assert.equal((await ask(port, { method: 'DELETE', path })).status, 401);
    assert.equal(store.quarantine.list(2).length, 1);
  });
});
