import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CheckDoneView, UpdateChecksView, UpdateView } from '../../app/api/check-views.ts';
import { Product } from '../helpers/product.ts';
import { RemoteLab } from './remote-fixture.ts';

const PORT = 8603;
const LOGIN = { user: 'robot', password: 'hunter2-hunter2' };

describe('updates of units on another host', () => {
  let remote: RemoteLab;
  let product: Product;
  before(async () => {
    remote = await RemoteLab.start();
    await remote.push('web:stable', 'v1', '--index');
    // A registry with a password in front of the same storage, and a login that lies there alone.
    const hash = `$(perl -e 'print crypt("${LOGIN.password}", q($2y$05$abcdefghijklmnopqrstuu))')`;
    const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
    await remote.sh(
      [
        `printf '${LOGIN.user}:%s\\n' "${hash}" > /tmp/htpasswd`,
        `printf 'version: 0.1\\nstorage: {filesystem: {rootdirectory: /run/lab/registry}}\\nhttp: {addr: "127.0.0.1:5001", secret: lab}\\nauth: {htpasswd: {realm: lab, path: /tmp/htpasswd}}\\n' > /tmp/registry.yml`,
        'systemd-run --user --quiet --unit=private-registry --setenv=OTEL_TRACES_EXPORTER=none /usr/bin/docker-registry serve /tmp/registry.yml',
        'mkdir -p "$HOME/.config/containers"',
        `printf '[[registry]]\\nlocation = "127.0.0.1:5000"\\ninsecure = true\\n[[registry]]\\nlocation = "127.0.0.1:5001"\\ninsecure = true\\n' > "$HOME/.config/containers/registries.conf"`,
        `printf '{"auths":{"127.0.0.1:5001":{"auth":"${auth}"}}}' > "$HOME/.config/containers/auth.json"`,
      ].join('\n'),
    );
    await remote.sh(
      `for i in $(seq 100); do exec 3<>/dev/tcp/127.0.0.1/5001 && break; done 2>/dev/null; true`,
    );
    const quadlet = `$(podman --version | grep -q 'version [5-9]' && echo --quadlet)`;
    await remote.sh(
      `unset CONTAINERS_REGISTRIES_CONF; podman pull --quiet --tls-verify=false 127.0.0.1:5001/web:stable; "$LAB_DIR/unit" web 127.0.0.1:5001/web:stable --port ${PORT} ${quadlet}`,
    );
    await remote.untilServed(PORT, 'v1');
    product = await Product.start({
      PODUP_MANUAL_UNITS: 'web',
      PODUP_SSH_TARGET: remote.lab.target,
      PODUP_SSH_CONFIG: remote.lab.sshConfigFile,
      PODUP_DEPLOY_SOAK_MS: '500',
    });
  });
  after(async () => {
    await product?.[Symbol.asyncDispose]();
    await remote?.close();
  });

  async function check(): Promise<UpdateView | undefined> {
    const { status, body } = await product.post<CheckDoneView>('/api/update-checks', { all: true });
    assert.equal(status, 200, JSON.stringify(body));
    return body.checks[0]?.update;
  }

  test('are looked for through that host, with its logins and its images', async () => {
    const current = await check();
    assert.equal(current?.status, 'up_to_date', JSON.stringify(current));
    await remote.push('web:stable', 'v2', '--index');
    assert.equal((await check())?.status, 'tag_update_available');
  });

  test('are up to date once they are deployed there', async () => {
    const { status } = await product.post('/api/deployments', { unit: 'web' });
    assert.equal(status, 202);
    const task = await product.ended();
    assert.deepEqual([task.status, task.error], ['succeeded', null]);
    const { checks } = await product.api<UpdateChecksView>('/api/update-checks');
    assert.equal(checks[0]?.update.status, 'up_to_date');
    assert.equal((await check())?.status, 'up_to_date');
    assert.ok(!product.output.includes(LOGIN.password));
  });

  test('are unknown without the login there', async () => {
    await remote.sh('rm "$HOME/.config/containers/auth.json"');
    const refused = await check();
    assert.equal(refused?.reason, 'REGISTRY_UNAUTHORIZED');
    assert.equal(refused?.last_known, 'up_to_date');
  });
});
