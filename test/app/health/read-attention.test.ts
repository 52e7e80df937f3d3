import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAttention } from '../../../app/health/read-attention.ts';
import { deliveryRow } from '../../helpers/delivery-row.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const HOUR = 3_600_000;
const NOW = 100 * HOUR;

test('what was missed is told for a day: found by its tag, or sent again by GitHub', async (t) => {
  const folder = makeTempFolder(t);
  const { store } = openTestStore(t, folder);
  const read = async (nowMs = NOW) => {
    const { items } = await readAttention(
      {
        ...{ store, settings: { pullTimeoutMs: 1, restartTimeoutMs: 1 } },
        paths: { intakeDir: folder },
        ...{ health: async () => [], hold: async () => null, jobs: () => [] },
        ...{ limits: () => ({ credentials: [], connections: null }), lockedHooks: () => [] },
      },
      nowMs,
    );
    return items.map(({ kind, detail, since }) => [kind, detail, Date.parse(since)]);
  };
  store.githubDeliveries.ask('5', 'guid-1', NOW - 3 * HOUR);
  store.githubDeliveries.ask('5', 'guid-2', NOW - 3 * HOUR);
  assert.deepEqual(await read(), [], 'asked for is not come');
  store.deliveries.insert(deliveryRow({ delivery: 'guid-1', received_at: NOW - 2 * HOUR }));
  const late = '1 deliveries of GitHub had failed, and came when they were asked for again.';
  assert.deepEqual(await read(), [['missed-deliveries', late, NOW - 2 * HOUR]]);
  store.missedDeliveries.insert({
    ...{ found_at: NOW - 3 * HOUR, found_by: 'sweep', unit: 'web.service', image: 'a.io/b:1' },
    ...{ former_digest: null, digest: 'sha256:0a', task_id: null },
  });
  const found = '1 pushes to 1 units were deployed although no delivery had told of them.';
  assert.deepEqual(await read(), [['missed-deliveries', `${found} ${late}`, NOW - 2 * HOUR]]);
  assert.deepEqual(await read(NOW + 21.5 * HOUR), [['missed-deliveries', late, NOW - 2 * HOUR]]);
  assert.deepEqual(await read(NOW + 22.5 * HOUR), []);
});
