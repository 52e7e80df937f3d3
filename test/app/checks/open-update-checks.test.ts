import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkUpdates } from '../../../app/checks/check-updates.ts';
import { checkPartsOf } from '../../../app/checks/open-update-checks.ts';
import type { Settings } from '../../../shared/config/settings.ts';
import { DEPLOY_SETTINGS } from '../../helpers/deploy-settings.ts';
import { makeManifest } from '../../helpers/loopback-registry.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { makeHost, startRegistry } from './checks-fixture.ts';

test('two processes never ask for a tag at the same time, and the second takes what the first was told', async (t) => {
  const registry = await startRegistry(t, { latencyMs: 50 });
  const image = makeManifest('one');
  registry.manifests.set('app:latest', image);
  const host = makeHost(t, [registry]);
  host.running = [
    { unit: 'web.service', image: `${registry.host}/app:latest`, digests: [image.digest] },
  ];
  const settings = { ...DEPLOY_SETTINGS, registryTimeoutMs: 5_000 } as Settings;
  const dataDir = makeTempFolder(t);
  const { signal } = new AbortController();
  const check = () => {
    const { store, host: itsHost, units: listUnits } = host.parts;
    const parts = checkPartsOf({ settings, dataDir, store, host: itsHost, listUnits });
    return checkUpdates({ ...parts, signal }, { isForced: false });
  };
  const done = await Promise.all([check(), check(), check()]);
  assert.ok(done.every(({ ok }) => ok));
  assert.equal(registry.asked.filter((one) => one.startsWith('HEAD ')).length, 1);
});
