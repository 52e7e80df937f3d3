import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { deliveryRow } from '../../helpers/delivery-row.ts';
import { startDeployed, startLooks, WEB } from './missed-fixture.ts';

describe('what a look goes by', () => {
  test('a registry that does not answer settles nothing, nor does a task that was open', async (t) => {
    const { web, run, made, deliver, store } = await startDeployed(t);
    deliver(web.unit, web.image, 'd9');
    web.means = 'd2';
    await run();
    assert.deepEqual(made(), [], 'the task that is open looks itself');
    const [task] = store.tasks.list({ unit: web.unit, limit: 1 });
    const end = { status: 'failed', summary: '', at: Date.now() } as const;
    store.tasks.finish({ id: task?.id ?? '', attempts: 0 }, end);
    web.means = null;
    await run();
    assert.deepEqual(made(), [], 'what was answered before is no answer');
    web.means = 'd2';
    await run();
    assert.equal(made().length, 1);
  });

  test('what the tag meant when anybody has asked before is what it is told from', async (t) => {
    const web = { ...WEB, runs: 'd1', means: 'd2' };
    const { run, made, deliver, store, answers } = startLooks(t, [web]);
    deliver(web.unit, web.image, 'd1', 'succeeded');
    answers.set(web.unit, 'd1');
    await run();
    assert.equal(made().length, 1);
    assert.equal(store.missedDeliveries.list(1)[0]?.former_digest, 'd1');
  });

  test('a push of another tag is none for which that was asked just before', async (t) => {
    const edge = { unit: 'edge.service', image: 'ghcr.io/o/web:edge', runs: 'e1', means: 'e2' };
    const { run, deliver, store, answers } = startLooks(t, [
      { ...WEB, runs: 'd1', means: 'd2' },
      edge,
    ]);
    deliver(WEB.unit, WEB.image, 'd2');
    answers.set(edge.unit, 'e2');
    await run({ pushedOnly: true });
    assert.equal(store.tasks.list({ unit: edge.unit, limit: 9 }).length, 1);
  });

  test('another image of the unit is seen for the first time', async (t) => {
    const { web, run, made } = await startDeployed(t);
    Object.assign(web, { image: 'ghcr.io/o/web:1', means: 'x1' });
    await run();
    assert.deepEqual(made(), []);
    web.means = 'x2';
    await run();
    assert.equal(made()[0]?.image, 'ghcr.io/o/web:1');
  });

  test('a delivery that came to nothing has told of nothing', async (t) => {
    const { web, run, made, store } = await startDeployed(t);
    web.means = 'd2';
    const received_at = Date.now();
    const of = { id: 'dlv_x', unit: web.unit, digest: 'd2', received_at };
    store.deliveries.insert(deliveryRow({ ...of, verdict: 'ignored', reason: 'hook-only-checks' }));
    await run();
    assert.equal(made().length, 1);
  });

  test('a task has told of what it found, and not of what it found long ago', async (t) => {
    const { web, run, made, deliver, store } = await startDeployed(t);
    const find = (digest: string) => {
      deliver(web.unit, web.image, 'another');
      const [task] = store.tasks.list({ unit: web.unit, limit: 1 });
      assert.ok(task);
      store.tasks.markDispatched(task.id, 'child', Date.now());
      const attempt = attemptOf(store.tasks, task.id);
      store.tasks.setEvidence(attempt, { registry_digest: digest }, Date.now());
      store.tasks.finish(attempt, { status: 'failed', summary: '', at: Date.now() });
    };
    const later = (ms: number) => {
      let at = Date.now() + ms;
      t.mock.method(Date, 'now', () => ++at);
    };
    find('d2');
    web.means = 'd2';
    await run();
    assert.deepEqual(made(), [], 'the task has told of it');
    Object.assign(web, { means: 'd3', runs: 'd3' });
    later(60_000);
    await run();
    later(60_000);
    web.means = 'd2';
    await run();
    assert.equal(made().length, 1, 'it is pushed again');
  });
});

describe('a look', () => {
  const UNITS = () => [
    { ...WEB, runs: 'd1', means: 'd2' },
    { unit: 'edge.service', image: 'ghcr.io/o/web:edge', runs: 'e1', means: 'e2' },
    {
      ...{ unit: 'off.service', image: 'ghcr.io/o/web:old', runs: 'o1', means: 'o2' },
      webhookEnabled: false,
    },
  ];

  test('asks for each unit once, and after a push for none that turns webhooks off', async (t) => {
    const { run, deliver, asked } = startLooks(t, UNITS());
    deliver('edge.service', 'ghcr.io/o/web:edge', 'e1', 'succeeded');
    await run({ pushedOnly: true });
    deliver(WEB.unit, WEB.image, 'd2');
    await run();
    const sorted = asked.map((units) => [...units].sort());
    assert.deepEqual(sorted, [['web.service'], ['edge.service', 'web.service']]);
  });

  test('is over with a push where no unit runs another tag', async (t) => {
    const { run, deliver, store, asked } = startLooks(t, [{ ...WEB, runs: 'd1', means: 'd2' }]);
    deliver(WEB.unit, WEB.image, 'd2');
    assert.equal((await run({ pushedOnly: true })).summary, 'There is no tag to be looked up.');
    assert.deepEqual([asked, store.trackedTags.listPushed()], [[], []]);
  });

  test('is not made again where every registry has answered', async (t) => {
    const { run, store } = await startDeployed(t);
    await run({ triesLeft: 2 });
    assert.deepEqual(store.tasks.list({ kinds: ['maintenance'], limit: 9 }), []);
  });

  test('makes its tasks as one batch, by the clock and after a push', async (t) => {
    const { run, deliver, store, units } = startLooks(t, [
      ...UNITS(),
      { unit: 'api.service', image: 'i/api:1', runs: 'a1', means: 'a1' },
      { unit: 'job.service', image: 'i/job:1', runs: 'j1', means: 'j1' },
    ]);
    for (const name of ['api', 'job'])
      deliver(`${name}.service`, `i/${name}:1`, `${name[0]}1`, 'succeeded');
    await run();
    for (const one of units) one.means = one.means?.replace('1', '2') ?? null;
    deliver(WEB.unit, WEB.image, 'd2');
    await run();
    const batchOf = (unit: string) => store.tasks.list({ unit, limit: 1 })[0]?.batch_id;
    const batches = ['api', 'job', 'edge'].map((name) => batchOf(`${name}.service`));
    assert.ok(batches[0]);
    assert.deepEqual(new Set(batches).size, 1);
  });

  test('notes what it did, what it left and what it could not know, and nothing of what is as it was', async (t) => {
    const { run, deliver, units, notes } = startLooks(t, [
      { unit: 'api.service', image: 'i/api:1', runs: 'a1', means: 'a1' },
      { unit: 'job.service', image: 'i/job:1', runs: 'j1', means: 'j1' },
      { unit: 'old.service', image: 'i/old:1', runs: 'o0', means: 'o1' },
      { unit: 'mute.service', image: 'i/mute:1', runs: 'm1', means: null },
    ]);
    for (const { unit, image } of units) deliver(unit, image, 'x', 'succeeded');
    await run();
    assert.deepEqual(notes, [
      'info missed-deliveries: The tag of old.service means o1: it is seen for the first time, and later pushes are told from it.',
      'warning missed-deliveries: mute.service is not known: REGISTRY_TIMEOUT d',
    ]);
    notes.length = 0;
    const [api] = units;
    assert.ok(api);
    api.means = 'a2';
    await run();
    assert.deepEqual(notes, [
      'warning missed-deliveries: The tag of api.service means a2: it is deployed.',
      'warning missed-deliveries: mute.service is not known: REGISTRY_TIMEOUT d',
    ]);
  });
});
