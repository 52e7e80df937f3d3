import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { chooseNext, type QueuedTask } from '../../../app/domain/choose-next.ts';

const NOBODY = new Map<string, number>();

function task(unit: string, at: number, over: Partial<QueuedTask> = {}): QueuedTask {
  return { unit, image: 'ghcr.io/o/app:stable', wanted: null, created_at: at, ...over };
}

describe('choose next', () => {
  test('the oldest goes first, and nothing where nobody waits', () => {
    assert.equal(chooseNext([], [], NOBODY), undefined);
    const [a, b] = [task('a.service', 1), task('b.service', 2)];
    assert.equal(chooseNext([a, b], [], NOBODY), a);
  });

  test('a unit that has had its turn stands behind who has waited since before it', () => {
    const [a, b, c] = [task('a.service', 1), task('b.service', 2), task('c.service', 9)];
    const served = new Map([['a.service', 5]]);
    assert.equal(chooseNext([a, b, c], [], served), b);
    assert.equal(chooseNext([a, c], [], served), a);
  });

  test('of the instances of a template the lowest goes first, by its number', () => {
    const all = [10, 2, 3].map((instance, at) => task(`app@${instance}.service`, at));
    assert.equal(chooseNext(all, [], NOBODY)?.unit, 'app@2.service');
  });

  test('the others wait until it has ended, also where nobody knows the image yet', () => {
    for (const image of ['ghcr.io/o/app:stable', null]) {
      const [first, second] = [
        task('app@1.service', 1, { image }),
        task('app@2.service', 2, { image }),
      ];
      assert.equal(chooseNext([second], [first], NOBODY), undefined);
      assert.equal(chooseNext([second], [], NOBODY), second);
      const other = task('web.service', 3, { image });
      assert.equal(chooseNext([second, other], [first], NOBODY), other);
    }
  });

  test('who wants something else, or is of another template, waits for none of them', () => {
    const first = task('app@1.service', 1);
    for (const free of [
      task('app@2.service', 2, { image: 'ghcr.io/o/app:next' }),
      task('app@2.service', 2, { wanted: 'v1' }),
      task('web@2.service', 2),
      task('app.service', 2),
    ]) {
      assert.equal(chooseNext([free], [first], NOBODY), free);
    }
  });

  test('whoever else waits, somebody is chosen where nothing runs', () => {
    const units = fc.constantFrom(
      'a.service',
      'b.service',
      'x@1.service',
      'x@2.service',
      'y@z.service',
    );
    const queued = fc.record({
      unit: units,
      image: fc.constantFrom('i:1', 'i:2', null),
      wanted: fc.constant(null),
      created_at: fc.nat(9),
    });
    const served = fc.array(fc.tuple(units, fc.nat(9))).map((entries) => new Map(entries));
    const pending = fc.uniqueArray(queued, { selector: ({ unit }) => unit, minLength: 1 });
    void fc.assert(
      fc.property(pending, served, (all, at) =>
        assert.ok(all.includes(chooseNext(all, [], at) as never)),
      ),
    );
  });
});
