import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ImageLocksView } from '../../app/api/limit-views.ts';
import type { Store } from '../../app/db/store.ts';
import { joinFailedCredentials, registerLimits } from '../../app/join-limits.ts';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { newTask } from '../helpers/store.ts';
import { adminGate, ask, askAdmin, startApp, TOKEN } from './http/http-fixture.ts';

const IMAGE = 'ghcr.io/o/web:main';
const BUCKET = 'ghcr.io_o_web_main';

/** The routes of limits over a real store, two deployments of an image in a minute, and how often there was something to begin. */
async function start(context: TestContext) {
  const loaded = loadSettings({
    ...{ PODUP_STATE_DIR: '/proc/none', PODUP_IMAGE_LIMIT_COUNT: '2' },
    PODUP_IMAGE_LIMIT_WINDOW: '60',
  });
  assert.ok(loaded.ok);
  const { settings } = loaded.loaded;
  let begun = 0;
  const test = await startApp(context, {
    prepare(app, { store, log }) {
      const failed = joinFailedCredentials(settings, log, { save: () => undefined });
      const onTask = () => void begun++;
      registerLimits(app, settings, { store, gate: adminGate(), onTask, failed });
    },
  });
  const view = async () => {
    const { status, text } = await askAdmin(test.port, '/api/image-locks');
    assert.equal(status, 200, text);
    return JSON.parse(text) as ImageLocksView;
  };
  const release = async (name: string) => {
    const { status, json } = await ask(test.port, {
      ...{ method: 'DELETE', path: `/api/image-locks/${encodeURIComponent(name)}` },
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const { request_id, ...rest } = json;
    return { status, code: json['code'], rest };
  };
  return { ...test, view, release, begun: () => begun };
}

/** Deployed as often as it may be, with a task that runs and one that waits for its place. */
function fill(store: Store): number {
  const now = Date.now();
  // The first one was before the window, and counts no more.
  for (const at of [now - 120_000, now - 10_000, now - 5_000])
    store.rateLimits.add(`image:${BUCKET}`, at, 3_600_000);
  store.tasks.insert(newTask({ id: 'tsk_running', image: IMAGE }));
  store.tasks.markDispatched('tsk_running', 'child', now - 5_000);
  store.tasks.insert(newTask({ id: 'tsk_waiting', unit: 'twin.service', image: IMAGE }));
  store.tasks.putOff('tsk_waiting', now + 50_000, 'image-limit', now);
  return now;
}

describe('the locks of images over HTTP', () => {
  test('are the tasks that run, with how often each image was deployed and what waits for that', async (t) => {
    const { store, view } = await start(t);
    const now = fill(store);
    const { locks, limit, limits } = await view();
    assert.deepEqual(
      locks.map(({ age_secs, ...lock }) => ({ ...lock, isYoung: age_secs >= 5 && age_secs < 60 })),
      [
        {
          ...{ bucket: BUCKET, acquired_at: Math.floor((now - 5_000) / 1_000), image: IMAGE },
          ...{ unit: 'web.service', task_id: 'tsk_running', isYoung: true },
        },
      ],
    );
    assert.deepEqual(limit, { count: 2, window_secs: 60 });
    assert.deepEqual(limits, [
      { bucket: BUCKET, used: 2, waiting: 1, free_at: Math.ceil((now + 50_000) / 1_000) },
    ]);
  });

  test('are let go by the image or by its name in the list, and what waits is begun at once', async (t) => {
    const { store, view, release, begun } = await start(t);
    fill(store);
    const released = await release(IMAGE);
    assert.deepEqual(released.rest, {
      ...{ bucket: BUCKET, removed: true, rows: 3, begun: 1, held_by: 'tsk_running' },
    });
    assert.equal(begun(), 1);
    const waiting = store.tasks.find('tsk_waiting');
    assert.deepEqual([waiting?.not_before, waiting?.waits_for], [null, null]);
    assert.deepEqual((await view()).limits, []);
    const held = await release(BUCKET);
    assert.deepEqual([held.status, held.code], [409, 'IMAGE_LOCK_HELD']);
    assert.equal(store.tasks.find('tsk_running')?.status, 'running');
    store.rateLimits.add(`image:${BUCKET}`, Date.now(), 3_600_000);
    assert.equal((await release(BUCKET)).rest['rows'], 1);
    assert.equal(begun(), 1, 'there is nothing to begin');
  });

  test('that there are not cannot be let go', async (t) => {
    const { store, release, begun } = await start(t);
    fill(store);
    const none = await release('ghcr.io/o/another:main');
    assert.deepEqual([none.status, none.code, begun()], [404, 'IMAGE_LOCK_NOT_FOUND', 0]);
    assert.equal(store.rateLimits.list(`image:${BUCKET}`, 9).length, 3);
  });
});
