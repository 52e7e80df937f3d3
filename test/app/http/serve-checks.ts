import type { TestContext } from 'node:test';
import { createUpdateChecker } from '../../../app/checks/update-checker.ts';
import { createUpdateChecks } from '../../../app/checks/update-checks.ts';
import { registerUpdateChecksApi } from '../../../app/http/routes/update-checks-api.ts';
import { listedUnits } from '../../helpers/listed-units.ts';
import { makeManifest } from '../../helpers/loopback-registry.ts';
import { makeHost, startRegistry } from '../checks/checks-fixture.ts';
import { adminGate, startApp } from './http-fixture.ts';

/** The routes of update checks over a host with two units, a and b, that run what `latest` means. */
export async function serveChecks(t: TestContext) {
  const registry = await startRegistry(t);
  const image = makeManifest('old');
  registry.manifests.set('app:latest', image);
  const host = makeHost(t, [registry]);
  host.running = ['a', 'b'].map((name) => ({
    unit: `${name}.service`,
    image: `${registry.host}/app:latest`,
    digests: [image.digest],
  }));
  const known = listedUnits(['a.service', 'b.service']);
  const checks = createUpdateChecks({
    store: host.store,
    checker: createUpdateChecker(host.parts),
    listUnits: host.parts.units,
    choose: (name) => known.choose('person', name),
    staleMs: 60_000,
  });
  const { port, folder } = await startApp(t, {
    prepare: (app) => registerUpdateChecksApi(app, { checks, gate: adminGate() }),
  });
  return { port, folder, registry };
}
