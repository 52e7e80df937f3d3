import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DiscoveredRow } from '../../../app/db/discovered-units.ts';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import { createDeliverySearch } from '../../../app/tasks/delivery-search.ts';
import { createKnownUnits } from '../../../app/units/known-units.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { keepLog } from '../http/http-fixture.ts';

const UNITS: Readonly<Record<string, string | undefined>> = {
  'web.service': 'ghcr.io/o/web:main',
  'twin.service': 'ghcr.io/o/web:main',
  'edge.service': 'ghcr.io/o/web:edge',
  'pinned.service': `ghcr.io/o/pinned@sha256:${'a'.repeat(64)}`,
  'alone.service': 'ghcr.io/o/pinned:main',
  'unknown.service': undefined,
};

function start(context: TestContext, isOff = false, asksGithub = false) {
  const { store } = openTestStore(context, makeTempFolder(context));
  const { log, lines } = keepLog();
  const told: number[] = [];
  const search = createDeliverySearch({
    ...{
      store,
      log,
      isOff,
      asksGithub: () => asksGithub,
      windowMs: 1_000,
      onTask: () => void told.push(1),
    },
    known: createKnownUnits({
      ...{ listed: Object.keys(UNITS), autoDiscover: false, readFound: () => [] },
    }),
    listUnits: () =>
      Object.entries(UNITS).map(([unit, image]) => ({
        unit,
        image: image === undefined ? undefined : parseImageReference(image),
      })),
  });
  const tasks = () => store.tasks.list({ kinds: ['maintenance'], limit: 9 });
  const push = (unit: string, at = 5) =>
    store.trackedTags.notePush(unit, UNITS[unit] ?? null, `dlv_${unit}`, at);
  return { store, search, tasks, push, told, lines };
}

describe('after deliveries', () => {
  test('the other tags of their repositories are looked up once the window is over', (t) => {
    const { search, tasks, push, told, store } = start(t);
    push('web.service');
    const before = Date.now();
    search.afterDeliveries();
    const [task, ...others] = tasks();
    assert.deepEqual([others, told], [[], [1]]);
    assert.ok((task?.not_before ?? 0) >= before + 1_000);
    assert.deepEqual(JSON.parse(task?.input ?? '{}'), {
      ...{ unit: 'pod-upgrade-trigger', version: null, image: null },
      ...{ maintenance: 'missed-deliveries', pushedOnly: true },
    });
    const source = [task?.trigger_source, task?.trigger_caller];
    assert.deepEqual(source, ['webhook', 'dlv_web.service']);
    assert.equal(store.trackedTags.listPushed().length, 1, 'the task will read it');
  });

  test('a further push joins the look that waits, and makes another one where it runs', (t) => {
    const { search, tasks, push, store } = start(t);
    push('web.service');
    search.afterDeliveries();
    push('twin.service');
    search.afterDeliveries();
    assert.equal(tasks().length, 1);
    store.tasks.markDispatched(tasks()[0]?.id ?? '', 'child', 1);
    search.afterDeliveries();
    assert.equal(tasks().length, 2);
  });

  test('nobody is asked where each tag of the repository had a delivery, or there is no other', (t) => {
    const { search, tasks, push, store } = start(t);
    for (const unit of ['web.service', 'edge.service', 'alone.service']) push(unit);
    search.afterDeliveries();
    assert.deepEqual([tasks(), store.trackedTags.listPushed()], [[], []]);
  });

  test('nobody is asked where only another repository has one', (t) => {
    const { search, tasks, push } = start(t);
    for (const unit of ['web.service', 'edge.service']) push(unit);
    search.afterDeliveries();
    assert.deepEqual(tasks(), []);
  });

  test('the look names the last push, whichever came into the database first', (t) => {
    const { search, tasks, push } = start(t);
    push('twin.service', 9);
    push('web.service', 5);
    search.afterDeliveries();
    assert.equal(tasks()[0]?.trigger_caller, 'dlv_twin.service');
  });

  test('a push of what is not known does not hide the one before', (t) => {
    const { push, store } = start(t);
    push('web.service', 5);
    store.trackedTags.notePush('web.service', null, 'dlv_later', 9);
    assert.deepEqual(
      store.trackedTags.listPushed().map(({ pushed_by, pushed_at }) => [pushed_by, pushed_at]),
      [['dlv_web.service', 5]],
    );
  });

  test('a unit whose image is not known keeps nobody', (t) => {
    const { search, tasks, push, store } = start(t);
    push('unknown.service');
    search.afterDeliveries();
    assert.deepEqual([tasks(), store.trackedTags.listPushed()], [[], []]);
    assert.deepEqual(
      store.trackedTags.list().map(({ unit }) => unit),
      ['unknown.service'],
    );
  });

  test('a database that fails is told of and harms nobody', (t) => {
    const { search, push, store, lines } = start(t);
    push('web.service');
    store.close();
    search.afterDeliveries();
    search.afterStart();
    assert.match(lines.join(''), /what else was pushed could not be looked at/);
    assert.match(lines.join(''), /missed deliveries could not be looked for/);
  });
});

describe('after a start', () => {
  test('every unit that deliveries are expected for is looked at, at once, however often it is said', (t) => {
    const { search, tasks, push, told } = start(t);
    push('alone.service');
    search.afterStart();
    search.afterStart();
    const [task, ...others] = tasks();
    assert.deepEqual([others.length, told.length], [0, 2]);
    assert.ok((task?.not_before ?? 0) <= Date.now());
    assert.equal(JSON.parse(task?.input ?? '{}').triesLeft, 2);
  });

  test('a look at pushes alone is not enough', (t) => {
    const { search, tasks, push } = start(t);
    push('web.service');
    search.afterDeliveries();
    search.afterStart();
    assert.equal(tasks().length, 2);
  });

  test('nobody is asked where no delivery is expected, or it is off', (t) => {
    const { search, tasks } = start(t);
    search.afterStart();
    assert.deepEqual(tasks(), []);
    const asking = start(t, false, true);
    asking.search.afterStart();
    assert.equal(asking.tasks().length, 1, 'GitHub is');
    const off = start(t, true, true);
    off.push('alone.service');
    off.search.afterStart();
    assert.deepEqual(off.tasks(), []);
  });
});

describe('after units were looked for', () => {
  function begin(context: TestContext) {
    const { store } = openTestStore(context, makeTempFolder(context));
    const found: DiscoveredRow[] = [];
    const known = createKnownUnits({
      listed: ['listed.service'],
      autoDiscover: true,
      readFound: () => found,
    });
    const search = createDeliverySearch({
      ...{ store, log: keepLog().log, known, isOff: false, asksGithub: () => false, windowMs: 1 },
      ...{ onTask: () => undefined, listUnits: () => [] },
    });
    return {
      search,
      find(unit: string, webhookEnabled: boolean | null) {
        found.push({
          ...{ unit, webhookEnabled, isAutoUpdated: false, hasPolicy: false, source: 'quadlet' },
          ...{ path: `/${unit}`, image: null, fault: null, firstSeenAt: 1, lastSeenAt: 1 },
        });
        known.reload();
      },
      tasks: () => store.tasks.list({ kinds: ['maintenance'], limit: 9 }),
      end: () => {
        const [task] = store.tasks.list({ kinds: ['maintenance'], limit: 1 });
        store.tasks.finish(
          { id: task?.id ?? '', attempts: 0 },
          { status: 'succeeded', summary: '', at: 1 },
        );
      },
    };
  }

  test('missed deliveries are looked for where one is expected that the start did not know of', (t) => {
    const { search, find, tasks, end } = begin(t);
    search.afterStart();
    search.afterDiscovery();
    assert.equal(tasks().length, 0, 'nothing is expected');
    find('other.service', null);
    search.afterDiscovery();
    assert.equal(tasks().length, 0, 'nor of a unit that does not ask for it');
    find('web.service', true);
    search.afterDiscovery();
    assert.equal(tasks().length, 1);
    end();
    search.afterDiscovery();
    assert.equal(tasks().length, 1, 'and not again for those that were looked for');
    find('listed.service', true);
    search.afterDiscovery();
    assert.equal(tasks().length, 2, 'of a unit of the settings nothing was known but its name');
  });
});
