import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { CheckDoneView, UpdateChecksView, UpdateView } from '../../app/api/check-views.ts';
import { isSuccess, runCommand } from '../../shared/process/run-command.ts';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { startTokenServer, type TokenServer } from '../helpers/token-server.ts';
import { until } from '../helpers/until.ts';
import type { Push } from '../helpers/webhook.ts';
import { type FaultProxy, startFaultProxy } from '../host/fault-proxy.ts';

const HOST = '127.0.0.1:5001';
const LOGIN = { username: 'robot', password: 'hunter2-hunter2' };
const PORTS = { open: 8081, closed: 8082, limited: 8083 } as const;
const UNITS = Object.keys(PORTS) as (keyof typeof PORTS)[];
const LIST_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';
const config = `${process.env['HOME']}/.config/containers`;
const authFile = `${config}/auth.json`;
const registriesFile = `${config}/registries.conf`;
const lab = process.env['LAB_REGISTRY'] ?? '';

type Status = UpdateView['status'];

/** The lab's registry once more, over the same storage: everybody needs a token, and some a login. */
function startTokenRegistry(tokens: TokenServer): void {
  writeFileSync(
    '/tmp/token-registry.yml',
    `version: 0.1
storage: {filesystem: {rootdirectory: /run/lab/registry}}
http: {addr: "${HOST}", secret: lab}
auth: ${tokens.auth}
`,
  );
  command(
    'systemd-run',
    ...['--user', '--quiet', '--unit=token-registry', '--setenv=OTEL_TRACES_EXPORTER=none'],
    ...['/usr/bin/docker-registry', 'serve', '/tmp/token-registry.yml'],
  );
}

function logIn(): void {
  const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
  writeFileSync(authFile, JSON.stringify({ auths: { [`${HOST}/private`]: { auth } } }));
}

/** Not waited for by blocking: it asks servers of this process. */
async function podman(...args: string[]): Promise<string> {
  const result = await runCommand({ argv: ['podman', ...args], timeoutMs: 60_000 });
  assert.ok(isSuccess(result), result.stderr);
  return result.stdout;
}

/** What podman itself says: `pending` where it would update a unit. */
async function askPodman(): Promise<Record<string, string>> {
  const listed = await podman('auto-update', '--dry-run', '--format', 'json');
  const all = JSON.parse(listed) as { Unit: string; Updated: string }[];
  return Object.fromEntries(
    all.map(({ Unit, Updated }) => [Unit.replace('.service', ''), Updated]),
  );
}

/** Gives the index of a push one more platform and the tag to what comes of it. */
async function addPlatform(push: Push, other: Push): Promise<string> {
  const path = push.repository.slice(push.repository.indexOf('/') + 1);
  const url = `http://${lab}/v2/${path}/manifests`;
  const read = await fetch(`${url}/${push.tag}`, { headers: { accept: LIST_TYPE } });
  const index = (await read.json()) as { manifests: object[] };
  const manifest = await fetch(`${url}/${other.digest}`, {
    headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
  });
  const size = (await manifest.arrayBuffer()).byteLength;
  const mediaType = manifest.headers.get('content-type');
  const platform = { os: 'linux', architecture: 's390x' };
  index.manifests.push({ mediaType, size, digest: other.digest, platform });
  const body = JSON.stringify(index);
  const put = await fetch(`${url}/${push.tag}`, {
    ...{ method: 'PUT', headers: { 'content-type': LIST_TYPE }, body },
  });
  assert.equal(put.status, 201);
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

describe('updates are looked for at a registry that wants tokens', () => {
  let tokens: TokenServer;
  let proxy: FaultProxy;
  let product: Product;

  before(async () => {
    mkdirSync(config, { recursive: true });
    tokens = await startTokenServer('/tmp/tokens', LOGIN);
    proxy = await startFaultProxy({ address: '127.0.0.1', registry: lab });
    writeFileSync(
      registriesFile,
      [HOST, proxy.host]
        .map((location) => `[[registry]]\nlocation = "${location}"\ninsecure = true\n`)
        .join(''),
    );
    process.env['CONTAINERS_REGISTRIES_CONF'] = registriesFile;
    startTokenRegistry(tokens);
    await until('the registry asks for a token', PATIENCE_MS, async () => {
      const answer = await fetch(`http://${HOST}/v2/`).catch(() => undefined);
      return answer?.status === 401;
    });
    pushImage('open:1.0', 'v1', '--index');
    pushImage('private/closed:stable', 'v1');
    pushImage('limited:stable', 'v1');
    logIn();
    const images = {
      open: `${HOST}/open:1.0`,
      closed: `${HOST}/private/closed:stable`,
      limited: `${proxy.host}/limited:stable`,
    };
    for (const unit of UNITS) {
      await podman('pull', '--quiet', images[unit]);
      startUnit(unit, images[unit], PORTS[unit]);
    }
    for (const port of Object.values(PORTS)) {
      await until('v1', PATIENCE_MS, async () => (await served(port)) === 'v1');
    }
    product = await Product.start({ PODUP_MANUAL_UNITS: UNITS.join(' ') });
  });
  after(async () => {
    await product?.[Symbol.asyncDispose]();
    proxy?.close();
    tokens?.close();
    command('systemctl', '--user', 'stop', 'token-registry');
  });

  const byUnit = ({ checks }: UpdateChecksView) =>
    Object.fromEntries(checks.map(({ unit, update }) => [unit.replace('.service', ''), update]));
  async function check() {
    const { status, body } = await product.post<CheckDoneView>('/api/update-checks', { all: true });
    assert.equal(status, 200, JSON.stringify(body));
    return byUnit(body);
  }
  const listed = async () => byUnit(await product.api<UpdateChecksView>('/api/update-checks'));

  /** A check, the list of what is stored and podman itself have to say the same. */
  async function agree(expected: Partial<Record<string, Status>>): Promise<void> {
    const [checked, ofPodman] = [await check(), await askPodman()];
    const stored = await listed();
    for (const [unit, status] of Object.entries(expected)) {
      assert.equal(checked[unit]?.status, status, `${unit}: ${JSON.stringify(checked[unit])}`);
      assert.equal(stored[unit]?.status, status);
      const isPending = status === 'tag_update_available';
      assert.equal(ofPodman[unit], isPending ? 'pending' : 'false', `podman of ${unit}`);
    }
  }

  async function deploy(unit: keyof typeof PORTS): Promise<void> {
    const after_ = product.lines.length;
    const { status } = await product.post('/api/deployments', { unit });
    assert.equal(status, 202);
    const task = await product.ended(after_);
    assert.deepEqual([task.status, task.error], ['succeeded', null]);
  }

  test('of public and private images, with one index: all are up to date', async () => {
    await agree({ open: 'up_to_date', closed: 'up_to_date', limited: 'up_to_date' });
    const users = (scope: string) =>
      new Set(tokens.granted.filter((one) => one.scope === scope).map(({ user }) => user));
    assert.ok(users('repository:open:pull').has(''), 'nobody logs in for what is public');
    assert.ok(users('repository:private/closed:pull').has('robot'));
  });

  test('what is pushed is seen by all; what is deployed is up to date at once', async () => {
    pushImage('open:1.0', 'v2', '--index');
    pushImage('open:1.1', 'v3', '--index');
    pushImage('private/closed:stable', 'v2');
    await agree({
      open: 'tag_update_available',
      closed: 'tag_update_available',
      limited: 'up_to_date',
    });
    assert.deepEqual((await listed())['open']?.higher?.tags, ['1.1']);
    for (const unit of ['open', 'closed'] as const) {
      await deploy(unit);
      assert.equal(await served(PORTS[unit]), 'v2');
      const { status, running_digest, remote_tag_digest } = (await listed())[unit] ?? {};
      assert.equal(status, 'up_to_date', 'without another check');
      assert.equal(running_digest, remote_tag_digest);
    }
    await agree({ open: 'up_to_date', closed: 'up_to_date' });
  });

  test('an index that changed for another platform alone is no update', async () => {
    const push = pushImage('open:1.0', 'v2', '--index');
    const other = pushImage('open:s390x', 'other', '--arch', 's390x');
    const digest = await addPlatform(push, other);
    await agree({ open: 'up_to_date' });
    const { remote_tag_digest, running_digest } = (await listed())['open'] ?? {};
    assert.equal(remote_tag_digest, digest);
    assert.notEqual(running_digest, digest);
  });

  test('a rate limit leaves its units unknown, and no others', async () => {
    await proxy.setFault('limited', ['look-up'], ({ response }) => {
      response.writeHead(429, { 'retry-after': '60' }).end();
    });
    const first = await check();
    assert.equal(first['limited']?.reason, 'REGISTRY_RATE_LIMITED');
    assert.equal(first['limited']?.last_known, 'up_to_date');
    assert.equal(first['open']?.status, 'up_to_date');
    const struck = proxy.countStruck('limited');
    await check();
    assert.equal(proxy.countStruck('limited'), struck, 'it is left alone');
    const { registries } = await product.api<UpdateChecksView>('/api/update-checks');
    assert.equal(registries[0]?.host, proxy.host);
    assert.ok(registries[0]?.paused_until);
    // podman would wait for it.
    await proxy.setFault('limited', [], undefined);
  });

  test('a login that is gone leaves the private one unknown, as a deployment would fail', async () => {
    rmSync(authFile);
    const checked = await check();
    assert.equal(checked['closed']?.reason, 'REGISTRY_UNAUTHORIZED');
    assert.equal(checked['open']?.status, 'up_to_date');
    const plan = await product.post<{ code: string }>('/api/deployments', {
      ...{ unit: 'closed', dry_run: true },
    });
    assert.equal(plan.body.code, 'REGISTRY_UNAUTHORIZED');
    logIn();
    await agree({ closed: 'up_to_date' });
    assert.ok(!product.output.includes(LOGIN.password));
  });

  test('a registry that is down is unknown, and known again when it is back', async () => {
    command('systemctl', '--user', 'stop', 'token-registry');
    const down = await check();
    for (const unit of ['open', 'closed']) {
      assert.equal(down[unit]?.reason, 'REGISTRY_UNREACHABLE');
      assert.equal(down[unit]?.last_known, 'up_to_date');
    }
    startTokenRegistry(tokens);
    await until('it answers again', PATIENCE_MS, async () => {
      const answer = await fetch(`http://${HOST}/v2/`).catch(() => undefined);
      return answer?.status === 401;
    });
    await agree({ open: 'up_to_date', closed: 'up_to_date' });
  });
});
