import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpdateView } from '../../../app/api/check-views.ts';
import { servicesView } from '../../../app/api/service-views.ts';
import { listServices, type ServicesParts } from '../../../app/units/list-services.ts';
import { listedUnits } from '../../helpers/listed-units.ts';

const UPDATE: UpdateView = {
  ...{ status: 'up_to_date', tag: 'main', running_digest: null, remote_tag_digest: null },
  ...{ remote_latest_digest: null, checked_at: null, age_ms: null, stale: false, reason: null },
  ...{ error: null, last_known: null, higher: null },
};

/** The list over units that the test names; what it has looked at it says. */
function start(over: Partial<ServicesParts> = {}) {
  const looked: string[] = [];
  const known = listedUnits(['web.service', 'podman-auto-update.service'], {
    'web.service': { webhookEnabled: false },
    'auto.service': { isAutoUpdated: true },
  });
  const parts: ServicesParts = {
    ...{ known, autoDiscover: false, autoUpdateUnit: 'podman-auto-update.service' },
    listSweeps: () => [],
    listUpdates: () => new Map(known.all().map(({ unit }) => [unit, UPDATE])),
    discovery: {
      refresh: () => Promise.resolve(void looked.push('host')),
      isSweeping: () => false,
    },
    checkNow: () => Promise.resolve(void looked.push('registries')),
    ...over,
  };
  return { parts, looked };
}

describe('the list of services', () => {
  test('tells configured units from those that were found, and who may deploy each', async () => {
    const { parts, looked } = start();
    const view = await listServices(parts, {});
    assert.ok(servicesView.safeParse(view).success);
    const seen = view.services.map(({ slug, source, is_found, is_auto_update, may }) => [
      slug,
      source,
      is_found,
      is_auto_update,
      may.webhook.reason ?? 'yes',
    ]);
    assert.deepEqual(seen, [
      ['web', 'manual', true, false, 'webhooks-off'],
      ['podman-auto-update', 'manual', false, true, 'yes'],
      ['auto', 'discovered', true, false, 'discovery-off'],
    ]);
    assert.equal(view.services[0]?.github_path, '/github-package-update/web');
    assert.deepEqual(view.discovered.units, ['auto.service']);
    assert.deepEqual(looked, []);
  });

  for (const [looks, expected] of [
    [{ discover: true }, ['host']],
    [{ refresh: true }, ['host', 'registries']],
    [{ discover: true, refresh: true }, ['host', 'registries']],
    [{ discover: false }, []],
  ] as const) {
    test(`looks first at what ${JSON.stringify(looks)} asks for`, async () => {
      const { parts, looked } = start();
      await listServices(parts, looks);
      assert.deepEqual(looked, expected);
    });
  }

  test('is told although a look fails, with what failed', async () => {
    const row = { source: 'podman', swept_at: 1_000, failed_at: 2_000 } as const;
    const { parts } = start({
      checkNow: () => Promise.reject(new Error('no registry')),
      listSweeps: () => [{ ...row, code: 'PODMAN_FAILED', detail: 'It said no.' }],
    });
    const { discovery } = await listServices(parts, { refresh: true });
    const [sweep] = discovery.sources;
    assert.deepEqual(
      [sweep?.swept_at, sweep?.failing_since, sweep?.error?.code, sweep?.error?.detail],
      ['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:02.000Z', 'PODMAN_FAILED', 'It said no.'],
    );
  });
});
