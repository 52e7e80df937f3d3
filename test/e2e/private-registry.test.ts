import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';

const HOST = '127.0.0.1:5001';
const PASSWORD = 'hunter2-hunter2';
const config = `${process.env['HOME']}/.config/containers`;
const authFile = `${config}/auth.json`;
const registriesFile = `${config}/registries.conf`;

/** The lab's registry once more, over the same storage, with a password in front. */
function startPrivateRegistry(): void {
  const hash = command(
    'perl',
    '-e',
    `print crypt("${PASSWORD}", q($2y$05$abcdefghijklmnopqrstuu))`,
  );
  writeFileSync('/tmp/htpasswd', `robot:${hash}\n`);
  writeFileSync(
    '/tmp/private-registry.yml',
    `version: 0.1
storage: {filesystem: {rootdirectory: /run/lab/registry}}
http: {addr: "${HOST}", secret: lab}
auth: {htpasswd: {realm: lab, path: /tmp/htpasswd}}
`,
  );
  command(
    'systemd-run',
    '--user',
    '--quiet',
    '--unit=private-registry',
    '--setenv=OTEL_TRACES_EXPORTER=none',
    '/usr/bin/docker-registry',
    'serve',
    '/tmp/private-registry.yml',
  );
}

function logIn(): void {
  const auth = Buffer.from(`robot:${PASSWORD}`).toString('base64');
  writeFileSync(authFile, JSON.stringify({ auths: { [HOST]: { auth } } }));
}

describe('an image behind a password', () => {
  before(async () => {
    mkdirSync(config, { recursive: true });
    writeFileSync(registriesFile, `[[registry]]\nlocation = "${HOST}"\ninsecure = true\n`);
    startPrivateRegistry();
    await until('the registry asks for a password', PATIENCE_MS, async () => {
      const answer = await fetch(`http://${HOST}/v2/`).catch(() => undefined);
      return answer?.status === 401;
    });
    pushImage('private:stable', 'v1');
    logIn();
    startUnit('private', `${HOST}/private:stable`, 8081);
    await until('v1', PATIENCE_MS, async () => (await served(8081)) === 'v1');
  });
  after(() => command('systemctl', '--user', 'stop', 'private-registry'));

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
