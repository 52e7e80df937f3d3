import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { UnitFacts } from '../../../app/domain/delivery-verdict.ts';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import { HookBook } from '../../../app/hooks/hook-book.ts';
import { type Judged, keepDelivery, type Received } from '../../../app/intake/keep-delivery.ts';
import { replayDelivery, unitsOf } from '../../../app/intake/replay-delivery.ts';
import type { SpoolEntry } from '../../../app/intake/spool-format.ts';
import { SpoolWriter } from '../../../app/intake/spool-writer.ts';
import { fail } from '../../../shared/contract/outcome.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { deliveryRow } from '../../helpers/delivery-row.ts';
import { openTestIntake } from '../../helpers/intake.ts';
import { container, published } from '../domain/package-body.ts';

const BODY = Buffer.from(JSON.stringify(published(container())));
const RECEIVED: Received = {
  ...{ source: 'github', path: '/github-package-update/web', event: 'package', delivery: 'guid' },
  ...{ remoteAddress: '192.0.2.1', requestId: 'req_1' },
};
const ACCEPTED: Judged = {
  unit: 'web.service',
  verdict: { verdict: 'accepted', unit: 'web.service', matched: 'repository' },
};
const BY = { by: 'token:ci', requestId: 'req_2', address: '192.0.2.9' };

function start(context: TestContext, imageOf: () => string = () => 'ghcr.io/o/another:main') {
  const all = openTestIntake(context);
  const book = new HookBook();
  const facts = (unit: string): UnitFacts => {
    const image = parseImageReference(imageOf());
    assert.ok(image);
    return { name: unit, admission: { allowed: true, because: 'listed' }, state: 'known', image };
  };
  const units = {
    ...{ facts, list: () => ['web.service', 'api.service'], refreshAll: () => Promise.resolve() },
    refresh: (unit: string) => Promise.resolve(facts(unit)),
  };
  const { store, intake } = all;
  const keep = (judged: Judged, body = BODY) => keepDelivery(intake, RECEIVED, [judged], body);
  const replay = (id: string) => replayDelivery({ store, intake, book, units }, id, BY);
  const taken = async (count: number) => {
    while (all.storedIds().length < count) await new Promise(setImmediate);
  };
  return { ...all, book, keep, replay, taken };
}

async function keepOne({ keep, taken }: ReturnType<typeof start>, judged = ACCEPTED) {
  const kept = await keep(judged);
  assert.ok(kept.ok);
  await taken(1);
  return kept.value[0].id;
}

function hookOf(units: readonly string[]) {
  return {
    ...({ name: 'ci', source: 'generic', scheme: 'standard-webhooks', action: 'deploy' } as const),
    ...{ images: [], units, networks: [], registry: null, image: null, secrets: [] },
    ...{ expiresAt: null, disabledAt: null },
  };
}

/** A delivery of that hook for two units, and one that has done it anew for one of them. */
function keepTwo({ store }: ReturnType<typeof start>) {
  const of = { source: 'generic', hook: 'ci' };
  for (const [id, unit] of [
    ['dlv_1', 'web.service'],
    ['dlv_2', 'api.service'],
  ] as const)
    store.deliveries.insert(deliveryRow({ ...of, id, unit, reception: 'dlv_1' }));
  const again = { id: 'dlv_3', unit: 'api.service', reception: 'dlv_3', replay_of: 'dlv_1' };
  store.deliveries.insert(deliveryRow({ ...of, ...again }));
  store.deliveryBodies.keep('dlv_1', 1, Buffer.from('{"image":"ghcr.io/octo-org/hello:latest"}'));
}

async function unitsReplayed({ replay }: ReturnType<typeof start>, id: string) {
  const done = await replay(id);
  assert.ok(done.ok);
  return done.value.map(({ unit }) => unit);
}

describe('a delivery that is replayed', () => {
  test('is judged by what it means now, and names what it repeats and who wanted that', async (t) => {
    const all = start(t);
    const id = await keepOne(all, {
      ...ACCEPTED,
      verdict: { verdict: 'ignored', reason: 'unit-unknown', detail: '' },
    });
    const done = await all.replay(id);
    assert.ok(done.ok);
    const [one] = done.value;
    assert.equal(one?.verdict.verdict === 'ignored' && one.verdict.reason, 'unit-image-differs');
    await all.taken(2);
    const row = all.store.deliveries.find(one?.id ?? '');
    assert.deepEqual([row?.replay_of, row?.replayed_by, row?.delivery], [id, 'token:ci', 'guid']);
    assert.deepEqual(all.store.deliveries.listReplays(id), [one?.id]);
  });

  test('is work again although its first task has succeeded, and makes a new one', async (t) => {
    const all = start(t, () => 'ghcr.io/octo-org/hello:latest');
    const id = await keepOne(all);
    const [task] = all.store.tasks.list({ limit: 1 });
    assert.ok(task);
    all.store.tasks.markDispatched(task.id, 'child', 1);
    const end = { status: 'succeeded', summary: '', at: 2 } as const;
    all.store.tasks.finish(attemptOf(all.store.tasks, task.id), end);
    const again = await all.keep(ACCEPTED);
    assert.equal(
      again.ok && again.value[0].verdict.verdict,
      'duplicate',
      'of its sender it is none',
    );
    const done = await all.replay(id);
    assert.equal(done.ok && done.value[0]?.verdict.verdict, 'accepted');
    await all.taken(3);
    const tasks = all.store.tasks.list({ limit: 9 });
    assert.equal(tasks.length, 2);
    assert.equal(tasks[0]?.trigger_reason, `replay of ${id} by token:ci`);
    // One that was a replay itself goes back to what came in the first place.
    const more = await all.replay(done.ok ? (done.value[0]?.id ?? '') : '');
    assert.ok(more.ok);
    await all.taken(4);
    assert.equal(all.store.deliveries.find(more.value[0]?.id ?? '')?.replay_of, id);
    assert.equal(all.store.tasks.list({ limit: 9 }).length, 2, 'it joins the one that waits');
  });

  test('cannot be where there is none, or its body or its hook is gone', async (t) => {
    const { replay, store } = start(t);
    const code = async (id: string) => {
      const done = await replay(id);
      return done.ok || [done.failure.code, done.failure.detail];
    };
    assert.deepEqual(await code('dlv_none'), ['DELIVERY_NOT_FOUND', '']);
    store.deliveries.insert(deliveryRow({ id: 'dlv_1' }));
    store.deliveries.insert(deliveryRow({ id: 'dlv_2', hook: 'gone' }));
    store.deliveryBodies.keep('dlv_2', 1, BODY);
    assert.deepEqual(await code('dlv_1'), [
      'DELIVERY_NOT_REPLAYABLE',
      'Its body is not kept any more, or never was.',
    ]);
    assert.deepEqual(await code('dlv_2'), [
      'DELIVERY_NOT_REPLAYABLE',
      'There is no hook gone any more.',
    ]);
  });

  test('is for its own units, and not for others of what it repeats itself', async (t) => {
    const all = start(t, () => 'ghcr.io/octo-org/hello:latest');
    keepTwo(all);
    all.book.load([hookOf([])], undefined);
    assert.deepEqual(await unitsReplayed(all, 'dlv_2'), ['web.service', 'api.service']);
    assert.deepEqual(await unitsReplayed(all, 'dlv_3'), ['api.service']);
  });

  test('is for none that its hook may not report for any more', async (t) => {
    const all = start(t, () => 'ghcr.io/octo-org/hello:latest');
    keepTwo(all);
    all.book.load([hookOf(['web.service'])], undefined);
    assert.deepEqual(await unitsReplayed(all, 'dlv_1'), ['web.service']);
    const done = await all.replay('dlv_3');
    assert.deepEqual(done.ok || [done.failure.code, done.failure.detail], [
      'DELIVERY_NOT_REPLAYABLE',
      'The hook ci may report for none of its units any more.',
    ]);
  });

  test('is about the units that it concerned', (t) => {
    const { store } = start(t);
    for (const [id, unit] of [
      ['dlv_1', ''],
      ['dlv_2', 'a.service'],
      ['dlv_3', 'b.service'],
    ] as const)
      store.deliveries.insert(deliveryRow({ id, unit, reception: 'dlv_1' }));
    const of = (reception: string | null, unit = '') =>
      unitsOf(store, { id: 'dlv_2', unit, reception });
    assert.deepEqual(of('dlv_1'), ['a.service', 'b.service']);
    assert.deepEqual(of(null, 'c.service'), ['c.service']);
  });
});

test('64 deliveries of one name at once are one, and 500 of other names share its task', async (t) => {
  const all = start(t);
  const same = await Promise.all(Array.from({ length: 64 }, () => all.keep(ACCEPTED)));
  const verdicts = same.map((kept) => kept.ok && kept.value[0].verdict.verdict);
  assert.equal(verdicts.filter((verdict) => verdict === 'accepted').length, 1);
  assert.equal(verdicts.filter((verdict) => verdict === 'duplicate').length, 63);
  const others = Array.from({ length: 500 }, (_, index) =>
    keepDelivery(all.intake, { ...RECEIVED, delivery: `guid ${index}` }, [ACCEPTED], BODY),
  );
  await Promise.all(others);
  await all.taken(564);
  assert.equal(all.store.tasks.list({ limit: 9 }).length, 1);
});

test('what repeats a delivery that the disk has refused meanwhile is refused with it', async (t) => {
  const all = start(t);
  const { append } = SpoolWriter.prototype;
  const first = Promise.withResolvers<ReturnType<typeof fail>>();
  let count = 0;
  t.mock.method(SpoolWriter.prototype, 'append', function (this: SpoolWriter, entry: SpoolEntry) {
    count++;
    return count === 1 ? first.promise : append.call(this, entry);
  });
  const kept = [all.keep(ACCEPTED), all.keep(ACCEPTED)];
  first.resolve(fail('SPOOL_DISK_FULL', ''));
  assert.deepEqual(
    (await Promise.all(kept)).map((one) => one.ok || one.failure.code),
    ['SPOOL_DISK_FULL', 'SPOOL_UNAVAILABLE'],
  );
  const again = await all.keep(ACCEPTED);
  assert.equal(again.ok && again.value[0].verdict.verdict, 'accepted');
});
