import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { isSuccess, runCommand } from '../../shared/process/run-command.ts';
import { pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';
import { type FaultProxy, startFaultProxy } from '../host/fault-proxy.ts';
import { first, limit } from '../host/faults.ts';

const config = `${process.env['HOME']}/.config/containers`;
const registriesFile = `${config}/registries.conf`;

describe('a registry that limits the rate', () => {
  let proxy: FaultProxy;
  before(async () => {
    const registry = process.env['LAB_REGISTRY'] ?? '';
    proxy = await startFaultProxy({ address: '127.0.0.1', registry });
    mkdirSync(config, { recursive: true });
    writeFileSync(registriesFile, `[[registry]]\nlocation = "${proxy.host}"\ninsecure = true\n`);
    process.env['CONTAINERS_REGISTRIES_CONF'] = registriesFile;
    pushImage('limited:stable', 'v1');
    const image = `${proxy.host}/limited:stable`;
    // Not by the unit: starting it holds up this process, and so the registry.
    const pulled = await runCommand({ argv: ['podman', 'pull', '-q', image], timeoutMs: 30_000 });
    assert.ok(isSuccess(pulled), pulled.stderr);
    startUnit('limited', image, 8081);
    await until('v1', PATIENCE_MS, async () => (await served(8081)) === 'v1');
  });
  after(() => proxy.close());

  test('is asked again when it says, and the push is deployed then', async () => {
    await using product = await Product.start({ PODUP_MANUAL_UNITS: 'limited' });
    const push = { ...pushImage('limited:stable', 'v2'), repository: `${proxy.host}/limited` };
    await proxy.setFault(
      'limited',
      ['look-up'],
      first(
        1,
        limit(() => '2'),
      ),
    );
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/limited`;
    assert.equal((await post(url, body, makeHeaders('registry_package', body))).status, 202);
    const task = await product.ended();
    assert.deepEqual([task.status, task.error, task.attempts], ['succeeded', null, 2]);
    assert.equal(await served(8081), 'v2');
    const said = task.logs.filter(({ action }) => action === 'task-deferred');
    assert.equal(said.length, 1);
    assert.match(said[0]?.summary ?? '', /REGISTRY_RATE_LIMITED: .* Retry-After: 2\./);
    assert.ok(proxy.countStruck('limited') > 1);
  });
});
