import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DeploymentRow } from '../../../app/db/deployments.ts';
import type { NewQuarantine } from '../../../app/db/quarantined-images.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const UNIT = 'web.service';

function bad(over: Partial<NewQuarantine> = {}): NewQuarantine {
  return {
    unit: UNIT,
    digest: 'sha256:a',
    image: 'ghcr.io/o/web:main',
    image_id: null,
    code: 'GATE_UNIT_DOWN',
    detail: 'It is failed.',
    at: 100,
    expires_at: null,
    ...over,
  };
}

function open(context: TestContext) {
  return openTestStore(context, makeTempFolder(context)).store.quarantine;
}

describe('the quarantined_images table', () => {
  test('finds an image that failed, for its unit and its digest only', (t) => {
    const quarantine = open(t);
    quarantine.add(bad());
    const { at, ...failed } = bad();
    const expected = { ...failed, count: 1, first_at: at, last_at: at, guard: null };
    assert.deepEqual(quarantine.find(UNIT, 'sha256:a', 100), expected);
    assert.equal(quarantine.find(UNIT, 'sha256:b', 100), undefined);
    assert.equal(quarantine.find('db.service', 'sha256:a', 100), undefined);
  });

  test('counts on where it fails again: the last failure, the first time, the new end', (t) => {
    const quarantine = open(t);
    quarantine.add(bad({ expires_at: 200 }));
    const again = { image: 'ghcr.io/o/web:v2', code: 'GATE_UNHEALTHY', detail: 'Sick.' } as const;
    quarantine.add(bad({ ...again, at: 300, expires_at: 400 }));
    assert.deepEqual(quarantine.find(UNIT, 'sha256:a', 300), {
      ...{ unit: UNIT, digest: 'sha256:a', image_id: null, ...again },
      ...{ count: 2, first_at: 100, last_at: 300, expires_at: 400, guard: null },
    });
    quarantine.add(bad({ at: 500 }));
    const third = quarantine.find(UNIT, 'sha256:a', 500);
    assert.deepEqual([third?.count, third?.expires_at], [3, null]);
  });

  for (const [title, expires_at, nowMs, isFound] of [
    ['a millisecond before its end', 200, 199, true],
    ['at its end', 200, 200, false],
    ['after its end', 200, 201, false],
    ['without an end, for ever', null, Number.MAX_SAFE_INTEGER, true],
  ] as const)
    test(`holds an image ${title}: ${isFound ? 'yes' : 'no'}`, (t) => {
      const quarantine = open(t);
      quarantine.add(bad({ expires_at }));
      assert.equal(quarantine.find(UNIT, 'sha256:a', nowMs) !== undefined, isFound);
      assert.equal(quarantine.list(nowMs).length, isFound ? 1 : 0);
    });

  test('lists the newest failure first, of any unit', (t) => {
    const quarantine = open(t);
    for (const [unit, digest, at] of [
      ['web.service', 'sha256:b', 100],
      ['web.service', 'sha256:a', 100],
      ['db.service', 'sha256:c', 100],
      ['web.service', 'sha256:d', 200],
      ['web.service', 'sha256:e', 50],
    ] as const)
      quarantine.add(bad({ unit, digest, at }));
    quarantine.add(bad({ digest: 'sha256:e', at: 300 }));
    assert.deepEqual(
      quarantine.list(300).map(({ unit, digest }) => `${unit} ${digest}`),
      [
        ...['web.service sha256:e', 'web.service sha256:d', 'db.service sha256:c'],
        ...['web.service sha256:a', 'web.service sha256:b'],
      ],
    );
  });

  for (const [title, unit, digest, count, left] of [
    ['one digest of a unit', UNIT, 'sha256:a', 1, ['web b', 'db a']],
    ['all of a unit', UNIT, undefined, 2, ['db a']],
    ['a digest that is not held', UNIT, 'sha256:c', 0, ['web a', 'web b', 'db a']],
    ['a unit that has none', 'other.service', undefined, 0, ['web a', 'web b', 'db a']],
  ] as const)
    test(`releases ${title}`, (t) => {
      const quarantine = open(t);
      for (const [at, row] of ['db a', 'web b', 'web a'].entries()) {
        const [name, short] = row.split(' ');
        quarantine.add(bad({ unit: `${name}.service`, digest: `sha256:${short}`, at }));
      }
      assert.equal(quarantine.release(unit, digest), count);
      const names = quarantine.list(9).map((row) => `${row.unit} ${row.digest}`);
      assert.deepEqual(
        names.map((name) => name.replace('.service sha256:', ' ')),
        left,
      );
    });

  test('counts from one again after a release', (t) => {
    const quarantine = open(t);
    quarantine.add(bad());
    quarantine.add(bad());
    quarantine.release(UNIT);
    quarantine.add(bad({ at: 500 }));
    const found = quarantine.find(UNIT, 'sha256:a', 500);
    assert.deepEqual([found?.count, found?.first_at], [1, 500]);
  });

  test('knows it again under another digest, and for the other instances of a template', (t) => {
    const quarantine = open(t);
    quarantine.add(bad({ unit: 'app@1.service', image_id: 'c0ffee' }));
    const find = (unit: string, image: string) => quarantine.find(unit, image, 100)?.unit;
    assert.equal(find('app@1.service', 'c0ffee'), 'app@1.service');
    assert.equal(find('app@22.service', 'sha256:a'), 'app@1.service');
    assert.equal(find('app@22.service', 'c0ffee'), 'app@1.service');
    assert.equal(find('apps@1.service', 'sha256:a'), undefined);
    assert.equal(find('app.service', 'sha256:a'), undefined);
    quarantine.add(bad({ unit: 'app@22.service', at: 50 }));
    assert.equal(find('app@22.service', 'sha256:a'), 'app@22.service');
  });

  test('has a guard against the timer until the unit runs another image', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const { quarantine, deployments, tasks } = store;
    quarantine.add(bad({ at: 100, expires_at: 1_000 }));
    quarantine.add(bad({ digest: 'sha256:b', unit: 'db.service', at: 100 }));
    quarantine.setGuard(UNIT, '/guard');
    const look = (nowMs: number) =>
      quarantine
        .listGuards(nowMs)
        .map(({ unit, guard, is_wanted }) => [unit, guard, is_wanted].join(' '));
    assert.deepEqual(look(999), ['db.service  1', `${UNIT} /guard 1`]);
    assert.deepEqual(look(1_000), ['db.service  1', `${UNIT} /guard 0`], 'its time is over');
    for (const [id, status, wanted] of [
      ['tsk_1', 'succeeded', null],
      ['tsk_2', 'failed', null],
      ['tsk_3', 'succeeded', ':1'],
    ] as const) {
      tasks.insert(newTask({ id, wanted }));
      tasks.markDispatched(id, 'child', 1);
      tasks.finish({ id, attempts: 1 }, { status, summary: '', at: 2 });
    }
    const deployment: DeploymentRow = {
      ...{ task_id: 'tsk_1', unit: UNIT, image: 'i', wanted_digest: 'sha256:c', dependents: '[]' },
      ...{ former_image_id: null, former_digest: null, held_as: null, cause_code: null },
      ...{ wanted_image_id: null, restart_unit: null, write_image: null, is_brought: 0 },
      ...({ cause_detail: null, stage: 'ended', updated_at: 101 } as const),
    };
    for (const [why, over, isWanted] of [
      ['a person chose what it runs', { task_id: 'tsk_3' }, 1],
      ['it failed', { task_id: 'tsk_2' }, 1],
      ['it was before', { updated_at: 99 }, 1],
      ['it was the same image', { wanted_digest: 'sha256:a' }, 1],
      ['it came to an end', {}, 0],
    ] as const) {
      deployments.save({ ...deployment, ...over });
      assert.deepEqual(look(500).at(-1), `${UNIT} /guard ${isWanted}`, why);
    }
  });
});
