import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createIdleReason } from '../../../app/scheduler/idle-reason.ts';
import { startDeployed, startLooks, WEB } from './missed-fixture.ts';

describe('a look for missed deliveries', () => {
  test('deploys what was pushed while nobody listened, once, and says so', async (t) => {
    const { web, run, made, store } = await startDeployed(t);
    assert.deepEqual(made(), []);
    web.means = 'd2';
    const { summary } = await run();
    const said = 'Of 1 units 1 had missed a delivery, 0 had a push of another tag.';
    assert.equal(summary, said);
    const [task, ...others] = made();
    assert.deepEqual(
      [others, task?.unit, task?.image, task?.status],
      [[], web.unit, web.image, 'pending'],
    );
    assert.deepEqual(
      [task?.trigger_source, task?.trigger_caller, task?.trigger_reason, task?.trigger_request_id],
      ['sweep', 'sweep', 'missed delivery', 'tsk_run'],
    );
    const [row] = store.missedDeliveries.list(9);
    assert.deepEqual(
      [row?.unit, row?.former_digest, row?.digest, row?.task_id, row?.found_by],
      [web.unit, 'd1', 'd2', task?.id, 'sweep'],
    );
    const [event] = store.events.list({ limit: 1 }).rows;
    assert.deepEqual(
      [event?.action, event?.method, event?.task_id],
      ['missed-delivery', 'SYSTEM', task?.id],
    );
    const missed = store.totals.list().find(({ first }) => first === 'missed');
    assert.deepEqual([missed?.second, missed?.count], ['sweep', 1]);
    // Whatever becomes of it: it is known now.
    store.tasks.finish(
      { id: task?.id ?? '', attempts: 0 },
      { status: 'failed', summary: '', at: 1 },
    );
    await run();
    assert.equal(made().length, 1);
  });

  test('leaves what a delivery has told of, a task is about, or has failed for the unit', async (t) => {
    const { web, run, made, deliver, store } = await startDeployed(t);
    web.means = 'd2';
    deliver(web.unit, web.image, 'd2');
    await run();
    assert.deepEqual(made(), [], 'its task is open');
    const [task] = store.tasks.list({ unit: web.unit, limit: 1 });
    store.tasks.finish(
      { id: task?.id ?? '', attempts: 0 },
      { status: 'failed', summary: '', at: 1 },
    );
    await run();
    assert.deepEqual(made(), [], 'a delivery has told of it');
    web.means = 'd3';
    store.quarantine.add({
      ...{ unit: web.unit, digest: 'd3', image: 'i', image_id: null, at: 5 },
      ...{ expires_at: null, code: 'GATE_PROBE_FAILED', detail: '' },
    });
    await run();
    assert.deepEqual(made(), [], 'it is in quarantine');
    web.means = 'd4';
    await run();
    assert.equal(made().length, 1);
  });

  test('finds a push for a unit that is down, which may want just that', async (t) => {
    const { web, run, made } = await startDeployed(t);
    web.isDown = true;
    await run();
    assert.deepEqual(made(), [], 'nothing was pushed');
    web.means = 'd2';
    await run();
    assert.deepEqual(
      made().map(({ unit }) => unit),
      [web.unit],
    );
  });

  test('deploys what a delivery told of long ago and is pushed again', async (t) => {
    const { web, run, made, deliver } = await startDeployed(t);
    Object.assign(web, { means: 'd2', runs: 'd2' });
    deliver(web.unit, web.image, 'd2', 'succeeded');
    // The time of the next look has to be another one than that of the delivery of d1.
    const laterMs = Date.now() + 60_000;
    t.mock.method(Date, 'now', () => laterMs);
    await run();
    web.means = 'd1';
    await run();
    assert.equal(made().length, 1);
  });

  test('takes what it sees first for what was there, but of units that follow their tag', async (t) => {
    const { run, made, units } = startLooks(t, [
      { ...WEB, runs: 'd0', means: 'd1', webhookEnabled: true },
      {
        unit: 'auto.service',
        image: 'i/auto:1',
        runs: 'd0',
        means: 'd1',
        webhookEnabled: true,
        isAutoUpdated: true,
      },
    ]);
    await run();
    assert.deepEqual(
      made().map(({ unit }) => unit),
      ['auto.service'],
    );
    if (units[0]) units[0].means = 'd2';
    await run();
    assert.deepEqual(
      made()
        .map(({ unit }) => unit)
        .sort(),
      ['auto.service', 'web.service'],
    );
  });

  test('asks about no unit that no webhook has deployed, nor about one that turns webhooks off', async (t) => {
    const { run, asked, known, store, deliver } = startLooks(t, [
      { ...WEB, runs: 'd0', means: 'd1' },
      { unit: 'off.service', image: 'i/off:1', runs: 'd0', means: 'd1', webhookEnabled: false },
    ]);
    deliver('off.service', 'i/off:1', 'd0', 'succeeded');
    assert.match(createIdleReason(known, store)('missed-deliveries') ?? '', /No unit/);
    assert.equal((await run()).summary, 'There is no tag to be looked up.');
    assert.deepEqual(asked, []);
    deliver(WEB.unit, WEB.image, 'd0', 'succeeded');
    assert.equal(createIdleReason(known, store)('missed-deliveries'), undefined);
    await run();
    assert.deepEqual(asked, [[WEB.unit]]);
  });

  test('asks again soon after a start where a registry does not answer, and not for ever', async (t) => {
    const { web, run, store } = await startDeployed(t);
    web.means = null;
    const again = () => store.tasks.list({ kinds: ['maintenance'], limit: 9 });
    await run();
    assert.deepEqual(again(), [], 'by the clock it comes anyway');
    const before = Date.now();
    await run({ triesLeft: 1 });
    const [task] = again();
    assert.ok((task?.not_before ?? 0) >= before + 120_000);
    assert.equal(JSON.parse(task?.input ?? '{}').triesLeft, 0);
    await run({ triesLeft: 0 });
    assert.equal(again().length, 1);
  });

  test('fails where the host does not answer, and finds it the next time', async (t) => {
    const { web, run, made, loseHost } = await startDeployed(t);
    web.means = 'd2';
    loseHost();
    assert.equal((await run()).status, 'failed');
    assert.deepEqual(made(), []);
  });
});

describe('a push of a repository with several tags', () => {
  const UNITS = () => [
    { ...WEB, runs: 'd1', means: 'd2' },
    { ...WEB, unit: 'twin.service', runs: 'd1', means: 'd2' },
    { unit: 'edge.service', image: 'ghcr.io/o/web:edge', runs: 'e1', means: 'e2' },
    { unit: 'same.service', image: 'ghcr.io/o/web:1', runs: 'd2', means: 'd2' },
    { unit: 'other.service', image: 'ghcr.io/o/other:edge', runs: 'e1', means: 'e2' },
  ];

  test('has units on its other tags deployed that have changed, and names the delivery', async (t) => {
    const { run, deliver, store, asked } = startLooks(t, UNITS());
    deliver(WEB.unit, WEB.image, 'd2');
    const { summary } = await run({ pushedOnly: true });
    assert.match(summary, /0 had missed a delivery, 1 had a push of another tag\.$/);
    assert.deepEqual(asked, [['edge.service', 'same.service']]);
    const of = (unit: string) => store.tasks.list({ unit, limit: 9 });
    const [task, ...others] = of('edge.service');
    assert.deepEqual(
      [others, task?.kind, task?.trigger_source, task?.trigger_caller, task?.trigger_reason],
      [[], 'github-webhook', 'webhook', 'dlv_1', `a push of ${WEB.image}`],
    );
    assert.match(store.taskLogs.listByTask(task?.id ?? '')[0]?.meta ?? '', /"delivery":"dlv_1"/);
    assert.deepEqual(
      ['web', 'twin', 'same', 'other'].map((name) => of(`${name}.service`).length),
      [1, 0, 0, 0],
    );
    assert.deepEqual(store.missedDeliveries.list(9), []);
    await run({ pushedOnly: true });
    assert.equal(asked.length, 1, 'a push is looked up once');
  });

  test('that came during a look is left for the next one', async (t) => {
    const { run, deliver, store } = startLooks(t, UNITS());
    deliver(WEB.unit, WEB.image, 'd2');
    const [push] = store.trackedTags.listPushed();
    assert.ok(push);
    store.trackedTags.notePush(WEB.unit, WEB.image, 'dlv_later', push.pushed_at + 1);
    store.trackedTags.forgetPushed([push]);
    assert.equal(store.trackedTags.listPushed()[0]?.pushed_by, 'dlv_later');
    await run({ pushedOnly: true });
    assert.deepEqual(store.trackedTags.listPushed(), []);
  });

  test('is looked up again where the registry did not answer, for some hours', async (t) => {
    const { run, deliver, store, units } = startLooks(t, UNITS());
    const edge = units.find(({ unit }) => unit === 'edge.service');
    assert.ok(edge);
    edge.means = null;
    deliver(WEB.unit, WEB.image, 'd2');
    await run({ pushedOnly: true });
    assert.deepEqual(store.tasks.list({ unit: edge.unit, limit: 9 }), []);
    edge.means = 'e2';
    await run();
    const [task] = store.tasks.list({ unit: edge.unit, limit: 9 });
    assert.equal(task?.trigger_caller, 'dlv_1');
    assert.deepEqual(store.trackedTags.listPushed(), []);
  });

  test('is given up where the registry has not answered for hours', async (t) => {
    const { run, deliver, store, units } = startLooks(t, UNITS());
    for (const one of units) if (one.unit !== WEB.unit) one.means = null;
    deliver(WEB.unit, WEB.image, 'd2');
    await run({ pushedOnly: true });
    assert.equal(store.trackedTags.listPushed().length, 1);
    const laterMs = Date.now() + 7 * 3_600_000;
    t.mock.method(Date, 'now', () => laterMs);
    await run({ pushedOnly: true });
    assert.deepEqual(store.trackedTags.listPushed(), []);
  });

  const HOOKS: readonly (readonly [
    title: string,
    hook: { readonly units?: readonly string[]; readonly images?: readonly string[] } | undefined,
    isLookedUp: boolean,
  ])[] = [
    ['a hook for all', {}, true],
    ['a hook for that unit, too', { units: [WEB.unit, 'edge.service'] }, true],
    ['a hook for the repository', { images: ['ghcr.io/o/*'] }, true],
    ['a hook for other units', { units: [WEB.unit] }, false],
    ['a hook for other tags', { images: ['ghcr.io/o/web:main'] }, false],
    ['a hook that is gone', undefined, false],
  ];
  for (const [title, hook, isLookedUp] of HOOKS)
    test(`that ${title} reports ${isLookedUp ? 'is' : 'is not'} looked up for a unit on another tag`, async (t) => {
      const { run, deliver, store } = startLooks(t, UNITS());
      const rest = { networks: [], registry: null, image: null, expiresAt: null, disabledAt: null };
      if (hook)
        store.storedHooks.insert(
          {
            ...{ name: 'ci', source: 'generic', scheme: 'standard-webhooks', action: 'deploy' },
            ...{ images: [], units: [], ...rest, ...hook },
          },
          { at: 1, by: 'ann' },
        );
      deliver(WEB.unit, WEB.image, 'd2', undefined, 'ci');
      await run({ pushedOnly: true });
      assert.equal(store.tasks.list({ unit: 'edge.service', limit: 9 }).length, isLookedUp ? 1 : 0);
      assert.deepEqual(store.trackedTags.listPushed(), []);
    });
});
