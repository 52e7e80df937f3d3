import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Store } from '../../../app/db/store.ts';
import type { BadImage, OpenDeployment } from '../../../app/domain/deployment.ts';
import { openMemory } from '../../../app/tasks/deploy-memory.ts';
import { addTask, makeStore } from './task-fixture.ts';

const NOW = 1_800_000_000_000;
const UNIT = 'web.service';
const DIGEST = `sha256:${'0a'.repeat(32)}`;

const OPEN: OpenDeployment = {
  unit: UNIT,
  image: 'ghcr.io/o/web:main',
  wanted_digest: DIGEST,
  wanted_image_id: null,
  restart_unit: null,
  write_image: null,
  is_brought: 0,
  former_image_id: 'i1',
  former_digest: 'sha256:old',
  held_as: 'localhost/podup/rollback:web.service-1',
  dependents: ['proxy.service', 'a "b".service'],
  stage: 'forward',
  cause_code: null,
  cause_detail: null,
};
const BACK: OpenDeployment = {
  ...OPEN,
  stage: 'back',
  cause_code: 'GATE_UNIT_DOWN',
  cause_detail: 'It is failed.',
};
const BAD: BadImage = {
  unit: UNIT,
  digest: DIGEST,
  image: 'ghcr.io/o/web:main',
  image_id: null,
  code: 'GATE_UNIT_DOWN',
  detail: 'It is failed.',
};

/** The memory of a task, at a time that the test sets. */
function start(context: TestContext) {
  const store = makeStore(context);
  const id = addTask(store, UNIT);
  store.tasks.markDispatched(id, 'child', 1);
  const clock = { nowMs: NOW };
  context.mock.method(Date, 'now', () => clock.nowMs);
  return { store, id, clock, memory: openMemory(store, { id, attempts: 1 }) };
}

describe('what a deployment remembers', () => {
  test('is nothing at first', (t) => {
    assert.equal(start(t).memory.find(), undefined);
  });

  test('is found again by another attempt at the task, and by no other task', (t) => {
    const { store, id, memory } = start(t);
    memory.save(OPEN);
    const found = openMemory(store, { id, attempts: 2 }).find();
    assert.deepEqual(found, { ...OPEN, task_id: id, updated_at: NOW });
    assert.equal(openMemory(store, { id: addTask(store, UNIT), attempts: 1 }).find(), undefined);
  });

  test('can be saved as it was found, and is of now then', (t) => {
    const { store, id, clock, memory } = start(t);
    memory.save(OPEN);
    const found = memory.find();
    assert.ok(found);
    clock.nowMs += 5;
    memory.save({ ...found, stage: 'ended' });
    const row = store.deployments.find(id);
    assert.deepEqual([row?.stage, row?.updated_at], ['ended', NOW + 5]);
    assert.deepEqual(memory.find()?.dependents, OPEN.dependents);
  });
});

describe('an image that is condemned', () => {
  for (const [title, forMs, expiresAt] of [
    ['until it is released', null, null],
    ['for a minute', 60_000, NOW + 60_000],
  ] as const)
    test(`${title} is in quarantine, and its deployment goes back`, (t) => {
      const { store, memory, clock } = start(t);
      memory.save(OPEN);
      memory.condemn(BACK, BAD, forMs);
      assert.equal(memory.find()?.stage, 'back');
      const row = {
        ...BAD,
        ...{ count: 1, first_at: NOW, last_at: NOW, expires_at: expiresAt, guard: null },
      };
      assert.deepEqual(store.quarantine.list(NOW), [row]);
      assert.deepEqual(memory.findBad(UNIT, DIGEST), row);
      clock.nowMs += 60_000;
      assert.equal(memory.findBad(UNIT, DIGEST) !== undefined, forMs === null);
    });

  test('is one for its unit and its digest only', (t) => {
    const { memory } = start(t);
    memory.condemn(BACK, BAD, null);
    assert.equal(memory.findBad(UNIT, 'sha256:other'), undefined);
    assert.equal(memory.findBad('db.service', DIGEST), undefined);
  });

  test('is condemned once for each time that it fails', (t) => {
    const { store, memory } = start(t);
    memory.condemn(BACK, BAD, null);
    memory.condemn(BACK, BAD, null);
    assert.equal(store.quarantine.find(UNIT, DIGEST, NOW)?.count, 2);
  });

  test('is neither condemned nor left where it cannot be put in quarantine', (t) => {
    const { store, memory } = start(t);
    memory.save(OPEN);
    const nothing = { ...BAD, detail: null } as unknown as BadImage;
    assert.throws(() => memory.condemn(BACK, nothing, null), /NOT NULL/);
    assert.equal(memory.find()?.stage, 'forward');
    assert.deepEqual(store.quarantine.list(NOW), []);
  });

  test('is neither condemned nor left where its deployment cannot be saved', (t) => {
    const { store } = start(t);
    const nobody = openMemory(store, { id: 'tsk_none', attempts: 1 });
    assert.throws(() => nobody.condemn(BACK, BAD, null), /is over/);
    assert.deepEqual(store.quarantine.list(NOW), []);
  });
});

describe('an attempt that is over', () => {
  for (const [title, end] of [
    [
      'because its task has ended',
      (store: Store, id: string) => {
        store.tasks.finish({ id, attempts: 1 }, { status: 'cancelled', summary: 'x', at: 2 });
      },
    ],
    [
      'because another one has begun',
      (store: Store, id: string) => {
        store.tasks.release({ id, attempts: 1 }, 2);
        store.tasks.markDispatched(id, 'child', 3);
      },
    ],
  ] as const) {
    test(`${title} writes nothing and goes on with nothing`, (t) => {
      const { store, id, memory } = start(t);
      memory.save(OPEN);
      memory.end(OPEN);
      end(store, id);
      assert.throws(() => memory.save(BACK), /is over/);
      assert.throws(() => memory.condemn(BACK, BAD, null), /is over/);
      assert.throws(() => memory.writeEnd(), /is over/);
      assert.equal(store.deployments.find(id)?.stage, 'forward');
      assert.deepEqual(store.quarantine.list(NOW), []);
    });
  }
});

test('an image is first seen when somebody asks first', (t) => {
  const { memory, clock } = start(t);
  assert.equal(memory.firstSeen(UNIT, DIGEST), NOW);
  clock.nowMs += 9;
  assert.equal(memory.firstSeen(UNIT, DIGEST), NOW);
  assert.equal(memory.firstSeen('db.service', DIGEST), NOW + 9);
});
