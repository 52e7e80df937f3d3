import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { FoundUnit } from '../../../app/domain/found-unit.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const HOST = 'user localhost';

function found(unit: string, rest: Partial<FoundUnit> = {}): FoundUnit {
  return {
    ...{ unit, path: `/q/${unit}`, image: 'ghcr.io/octo-org/hello', fault: null },
    ...{ isAutoUpdated: false, hasPolicy: false, webhookEnabled: null },
    ...rest,
  };
}

function open(t: TestContext) {
  const { discovered } = openTestStore(t, makeTempFolder(t)).store;
  const times = (host = HOST) =>
    discovered
      .list(host)
      .map(({ unit, source, firstSeenAt, lastSeenAt }) => [unit, source, firstSeenAt, lastSeenAt]);
  return { discovered, times };
}

describe('discovered units', () => {
  test('come back as they were found, with the times of the first and the last sweep', (t) => {
    const { discovered, times } = open(t);
    const marked = found('web.service', {
      isAutoUpdated: true,
      hasPolicy: true,
      webhookEnabled: true,
    });
    const other = found('api.service', {
      path: null,
      image: null,
      webhookEnabled: false,
      fault: 'x',
    });
    assert.ok(discovered.record(HOST, 'quadlet', [marked, other], 100));
    assert.ok(!discovered.record(HOST, 'quadlet', [marked, other], 200));
    assert.deepEqual(discovered.list(HOST), [
      { ...other, source: 'quadlet', firstSeenAt: 100, lastSeenAt: 200 },
      { ...marked, source: 'quadlet', firstSeenAt: 100, lastSeenAt: 200 },
    ]);
    assert.ok(
      discovered.record(HOST, 'quadlet', [{ ...marked, webhookEnabled: null }, other], 300),
    );
    assert.deepEqual(times()[1], ['web.service', 'quadlet', 100, 300]);
  });

  test('what a source no longer shows is removed, whatever the others show', (t) => {
    const { discovered, times } = open(t);
    discovered.record(HOST, 'quadlet', [found('a.service'), found('b.service')], 1);
    discovered.record(HOST, 'podman', [found('a.service')], 2);
    assert.ok(discovered.record(HOST, 'quadlet', [found('b.service')], 3));
    assert.deepEqual(times(), [
      ['a.service', 'podman', 2, 2],
      ['b.service', 'quadlet', 1, 3],
    ]);
    assert.ok(discovered.record(HOST, 'quadlet', [], 4));
    assert.deepEqual(times(), [['a.service', 'podman', 2, 2]]);
  });

  test('a sweep that fails removes nothing, and is remembered until one succeeds', (t) => {
    const { discovered, times } = open(t);
    discovered.record(HOST, 'podman', [found('a.service')], 1);
    const failure = { code: 'PODMAN_FAILED', detail: 'no' } as const;
    discovered.fail(HOST, 'podman', failure, 5);
    discovered.fail(HOST, 'podman', failure, 6);
    assert.deepEqual(times(), [['a.service', 'podman', 1, 1]]);
    const row = {
      source: 'podman',
      swept_at: 1,
      failed_at: 5,
      code: 'PODMAN_FAILED',
      detail: 'no',
    };
    assert.deepEqual(discovered.listSweeps(HOST), [row]);
    discovered.record(HOST, 'podman', [found('a.service')], 7);
    assert.deepEqual(discovered.listSweeps(HOST), [
      { ...row, swept_at: 7, failed_at: null, code: null, detail: null },
    ]);
  });

  test('what was found on another host counts for nothing', (t) => {
    const { discovered, times } = open(t);
    discovered.record(HOST, 'quadlet', [found('a.service'), found('b.service')], 1);
    assert.deepEqual(times('system localhost'), []);
    discovered.record('system localhost', 'quadlet', [found('a.service')], 2);
    assert.deepEqual(times('system localhost'), [['a.service', 'quadlet', 2, 2]]);
    assert.deepEqual(times(), []);
    discovered.fail(HOST, 'quadlet', { code: 'SSH_UNREACHABLE', detail: '' }, 3);
    assert.deepEqual([times(), times('system localhost')], [[], []]);
    assert.deepEqual(
      discovered.listSweeps(HOST).map(({ swept_at, failed_at }) => [swept_at, failed_at]),
      [[null, 3]],
    );
  });
});
