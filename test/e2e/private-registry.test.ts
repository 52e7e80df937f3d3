import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { pushImage, served, startUnit } from '../helpers/lab.ts';
import { type PrivateRegistry, startPrivateRegistry } from '../helpers/private-registry.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';

const HOST = '127.0.0.1:5001';
const PASSWORD = 'hunter2-hunter2';
const config = `${process.env['HOME']}/.config/containers`;
const authFile = `${config}/auth.json`;
const registriesFile = `${config}/registries.conf`;

describe('an image behind a password', () => {
  let registry: PrivateRegistry;

  before(async () => {
    mkdirSync(config, { recursive: true });
    writeFileSync(registriesFile, `[[registry]]\nlocation = "${HOST}"\ninsecure = true\n`);
    registry = await startPrivateRegistry(PASSWORD);
    pushImage('private:stable', 'v1');
    writeFileSync(authFile, registry.authFile(PASSWORD));
    startUnit('private', `${HOST}/private:stable`, 8081);
    await until('v1', PATIENCE_MS, async () => (await served(8081)) === 'v1');
  });
  after(() => registry.stop());

  async function deploy(version: string) {
    await using product = await Product.start({
      PODUP_MANUAL_UNITS: 'private',
      CONTAINERS_REGISTRIES_CONF: registriesFile,
    });
    const push = { ...pushImage('private:stable', version), repository: `${HOST}/private` };
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/private`;
    assert.equal((await post(url, body, makeHeaders('registry_package', body))).status, 202);
    const task = await product.ended();
    return { task, output: product.output };
  }

  test('is deployed with the login of podman, which is written nowhere', async () => {
    const { task, output } = await deploy('v2');
    assert.deepEqual([task.status, task.error], ['succeeded', null]);
    assert.equal(await served(8081), 'v2');
    const auth = Buffer.from(`robot:${PASSWORD}`).toString('base64');
    for (const secret of [PASSWORD, auth]) {
      assert.ok(!JSON.stringify(task).includes(secret));
      assert.ok(!output.includes(secret));
    }
  });

  test('is refused without a login, with a code that says what to do', async () => {
    rmSync(authFile);
    const { task } = await deploy('v3');
    assert.deepEqual([task.status, task.error?.code], ['failed', 'REGISTRY_UNAUTHORIZED']);
    assert.match(String(task.error?.hint), /podman login/);
    assert.equal(await served(8081), 'v2');
  });
});
