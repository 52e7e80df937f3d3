import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkUpdates } from '../../../app/checks/check-updates.ts';
import { listChecks } from '../../../app/checks/view-checks.ts';
import { fail } from '../../../shared/contract/outcome.ts';
import { makeIndex, makeManifest } from '../../helpers/loopback-registry.ts';
import { makeHost, startRegistry } from './checks-fixture.ts';

const OLD = makeManifest('old');
const NEW = makeManifest('new');
const LATEST = makeManifest('latest');
const heads = (asked: readonly string[]) => asked.filter((one) => one.startsWith('HEAD '));

describe('what runs is compared with its tag and with latest', () => {
  const rows = [
    ['up_to_date', OLD, undefined],
    ['up_to_date', OLD, OLD],
    ['tag_update_available', NEW, undefined],
    ['tag_update_available', NEW, LATEST],
    ['latest_ahead', OLD, LATEST],
  ] as const;
  for (const [status, tag, latest] of rows) {
    test(`${status} where the tag means ${tag === OLD ? 'it' : 'another'}, latest ${latest ? 'is there' : 'is not'}`, async (t) => {
      const registry = await startRegistry(t);
      const host = makeHost(t, [registry]);
      registry.manifests.set('app:stable', tag);
      if (latest) registry.manifests.set('app:latest', latest);
      host.running = [
        { unit: 'web.service', image: `${registry.host}/app:stable`, digests: [OLD.digest] },
      ];
      const { units } = await host.check();
      const update = units['web.service'];
      assert.equal(update?.status, status, JSON.stringify(update));
      assert.equal(update?.error, null);
      assert.equal(update?.stale, false);
      assert.equal(update?.running_digest, OLD.digest);
      assert.equal(update?.remote_tag_digest, tag.digest);
      assert.equal(update?.remote_latest_digest, latest?.digest ?? null);
      assert.deepEqual(heads(registry.asked).toSorted(), [
        'HEAD /v2/app/manifests/latest',
        'HEAD /v2/app/manifests/stable',
      ]);
    });
  }
});

describe('an index', () => {
  test('that changed for other platforms alone is no update; it is read once', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    const mine = makeManifest('amd64');
    const before = makeIndex({ 'linux/amd64': mine, 'linux/arm64': OLD });
    const now = makeIndex({ 'linux/amd64': mine, 'linux/arm64': NEW });
    registry.manifests.set('app:latest', now).set(`app@${now.digest}`, now);
    host.running = [
      {
        unit: 'web.service',
        image: `${registry.host}/app:latest`,
        digests: [before.digest, mine.digest],
      },
    ];
    for (const { units } of [await host.check(), await host.check()]) {
      assert.equal(units['web.service']?.status, 'up_to_date');
      assert.equal(units['web.service']?.remote_tag_digest, now.digest);
    }
    registry.intercept = (_request, response) => {
      response.writeHead(403).end();
      return true;
    };
    const { units } = await host.check();
    assert.equal(units['web.service']?.last_known, 'up_to_date', 'by the manifest, too');
    const reads = registry.asked.filter((one) => one.startsWith('GET /v2/app/manifests/'));
    assert.deepEqual(reads, [`GET /v2/app/manifests/${now.digest}`]);
  });

  test('that changed for this platform is one', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    const before = makeIndex({ 'linux/amd64': OLD });
    const now = makeIndex({ 'linux/amd64': NEW, 'linux/arm64': OLD });
    registry.manifests.set('app:latest', now).set(`app@${now.digest}`, now);
    host.running = [
      {
        unit: 'web.service',
        image: `${registry.host}/app:latest`,
        digests: [before.digest, OLD.digest],
      },
    ];
    const { units } = await host.check();
    assert.equal(units['web.service']?.status, 'tag_update_available');
  });

  test('without this platform leaves it unknown', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    const now = makeIndex({ 'linux/arm64': NEW });
    registry.manifests.set('app:latest', now).set(`app@${now.digest}`, now);
    host.running = [
      { unit: 'web.service', image: `${registry.host}/app:latest`, digests: [OLD.digest] },
    ];
    const { units } = await host.check();
    assert.equal(units['web.service']?.reason, 'REGISTRY_PLATFORM_MISSING');
  });
});

describe('a tag that is not there', () => {
  test('counts as no answer where it is that of a unit, and not where it is only `latest` beside it', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    registry.manifests.set('app:stable', OLD);
    const run = (unit: string, name: string) => ({
      ...{ unit, image: `${registry.host}/${name}`, digests: [OLD.digest] },
    });
    host.running = [run('web.service', 'app:stable')];
    const { asked, failed } = await host.check();
    assert.deepEqual([asked, failed], [2, 0]);
    host.running = [run('web.service', 'app:latest'), run('gone.service', 'gone:1')];
    assert.equal((await host.check()).failed, 2);
  });
});

describe('what could not be asked', () => {
  test('is unknown and never up to date, and says what was known before', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    registry.manifests.set('app:latest', OLD);
    host.running = [
      { unit: 'web.service', image: `${registry.host}/app:latest`, digests: [OLD.digest] },
    ];
    await host.check();
    registry.intercept = (_request, response) => {
      response.writeHead(403).end();
      return true;
    };
    const failed = (await host.check()).units['web.service'];
    assert.equal(failed?.status, 'unknown');
    assert.equal(failed?.reason, 'REGISTRY_UNAUTHORIZED');
    assert.equal(failed?.last_known, 'up_to_date');
    assert.equal(failed?.remote_tag_digest, OLD.digest);
    registry.intercept = undefined;
    assert.equal((await host.check()).units['web.service']?.status, 'up_to_date');
  });

  test('is all of a host whose podman does not answer', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    registry.manifests.set('app:latest', OLD);
    host.running = [
      { unit: 'web.service', image: `${registry.host}/app:latest`, digests: [OLD.digest] },
    ];
    await host.check();
    const failed = await checkUpdates(
      {
        ...host.parts,
        host: {
          ...host.parts.host,
          readInfo: () => Promise.resolve(fail('PODMAN_UNAVAILABLE', 'ENOENT')),
        },
      },
      { isForced: true },
    );
    assert.equal(!failed.ok && failed.failure.code, 'PODMAN_UNAVAILABLE');
    const [view] = listChecks(host.store, host.parts.units(), 60_000, Date.now());
    assert.equal(view?.update.status, 'unknown');
    assert.equal(view?.update.reason, 'PODMAN_UNAVAILABLE');
    assert.equal(view?.update.last_known, 'up_to_date');
    assert.equal((await host.check()).units['web.service']?.status, 'up_to_date');
  });

  test('of a registry that is gone is not asked tag by tag, and holds up no other', async (t) => {
    const [good, gone] = [await startRegistry(t), await startRegistry(t)];
    const host = makeHost(t, [good, gone]);
    gone.intercept = (request) => {
      request.socket.destroy();
      return true;
    };
    good.manifests.set('app:latest', OLD);
    host.running = [
      { unit: 'good.service', image: `${good.host}/app:latest`, digests: [OLD.digest] },
      ...Array.from({ length: 20 }, (_, at) => ({
        unit: `gone${at}.service`,
        image: `${gone.host}/app:v${at}`,
        digests: [OLD.digest],
      })),
    ];
    const { units, failed } = await host.check();
    assert.equal(units['good.service']?.status, 'up_to_date');
    assert.equal(units['gone7.service']?.reason, 'REGISTRY_UNREACHABLE');
    // Those that are asked at a time share one look, which opens a connection that breaks once again.
    assert.ok(gone.asked.length <= 4, `${gone.asked.length} questions`);
    assert.equal(failed, 21);
  });

  test('is what has no registry, or runs nothing, or is pinned', async (t) => {
    const registry = await startRegistry(t);
    registry.manifests.set('a:1', NEW);
    const host = makeHost(t, [registry]);
    host.running = [
      { unit: 'local.service', image: 'localhost/app:1', digests: [OLD.digest] },
      { unit: 'pin.service', image: `ghcr.io/o/a@${OLD.digest}`, digests: [OLD.digest] },
    ];
    const units = host.parts.units();
    const stopped = { unit: 'stopped.service', image: units[0]?.image };
    const image = { registry: registry.host, repository: 'a', tag: '1' };
    Object.assign(host.parts, { units: () => [...units, { ...stopped, image }] });
    const checked = (await host.check()).units;
    assert.equal(checked['local.service']?.reason, 'CHECK_IMAGE_LOCAL');
    assert.equal(checked['pin.service']?.reason, 'UNIT_IMAGE_PINNED');
    const { reason, remote_tag_digest } = checked['stopped.service'] ?? {};
    // What it is to run may be new all the same.
    assert.deepEqual([reason, remote_tag_digest], ['CHECK_NOTHING_RUNS', NEW.digest]);
    assert.ok(registry.asked.every((asked) => !JSON.stringify(asked).includes('latest')));
  });
});

describe('each tag is asked for once', () => {
  test('however many units run it, with one token a repository and one look at the door', async (t) => {
    const registry = await startRegistry(t, { login: { username: 'u', password: 'p' } });
    const host = makeHost(t, [registry]);
    for (const name of ['a', 'b']) {
      registry.manifests.set(`${name}:1`, OLD).set(`${name}:latest`, OLD);
    }
    host.running = Array.from({ length: 10 }, (_, at) => ({
      unit: `u${at}.service`,
      image: `${registry.host}/${at % 2 === 0 ? 'a' : 'b'}:1`,
      digests: [OLD.digest],
    }));
    const { units, asked } = await host.check();
    assert.ok(Object.values(units).every(({ status }) => status === 'up_to_date'));
    assert.equal(asked, 4);
    const count = (start: string) => registry.asked.filter((one) => one.startsWith(start)).length;
    assert.deepEqual([count('HEAD '), count('GET /v2/ '), count('GET /token')], [4, 0, 2]);
    assert.equal(registry.asked.filter((one) => one === 'GET /v2/').length, 1);
  });

  test('and by the clock not again within a minute', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    registry.manifests.set('app:latest', OLD);
    host.running = [
      { unit: 'web.service', image: `${registry.host}/app:latest`, digests: [OLD.digest] },
    ];
    await host.check({ isForced: false });
    const again = await host.check({ isForced: false });
    assert.equal(again.units['web.service']?.status, 'up_to_date');
    assert.equal(heads(registry.asked).length, 1);
    await host.check();
    assert.equal(heads(registry.asked).length, 2);
  });
});

describe('a rate limit', () => {
  test('stops the questions of that registry until its time is over, and of no other', async (t) => {
    const [limited, other] = [await startRegistry(t), await startRegistry(t)];
    const host = makeHost(t, [limited, other]);
    limited.intercept = (request, response) => {
      if (request.url === '/v2/') return false;
      response.writeHead(429, { 'retry-after': '3600' }).end();
      return true;
    };
    other.manifests.set('app:latest', OLD);
    host.running = [
      { unit: 'other.service', image: `${other.host}/app:latest`, digests: [OLD.digest] },
      ...Array.from({ length: 20 }, (_, at) => ({
        unit: `u${at}.service`,
        image: `${limited.host}/app${at}:latest`,
        digests: [OLD.digest],
      })),
    ];
    const first = await host.check();
    assert.equal(first.units['other.service']?.status, 'up_to_date');
    assert.equal(first.units['u19.service']?.reason, 'REGISTRY_RATE_LIMITED');
    assert.ok(heads(limited.asked).length <= 6, 'only those that were under way');
    const before = limited.asked.length;
    await host.check();
    assert.equal(limited.asked.length, before);
    const [limit] = host.store.registryAnswers.listLimits();
    assert.equal(limit?.host, limited.host);
    assert.ok((limit?.pausedUntil ?? 0) > Date.now() + 3_000_000);
  });

  test('of a moment is waited for', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    registry.manifests.set('app:latest', OLD);
    let isFirst = true;
    registry.intercept = (request, response) => {
      if (!isFirst || request.method !== 'HEAD') return false;
      isFirst = false;
      response.writeHead(429, { 'retry-after': '0' }).end();
      return true;
    };
    host.running = [
      { unit: 'web.service', image: `${registry.host}/app:latest`, digests: [OLD.digest] },
    ];
    assert.equal((await host.check()).units['web.service']?.status, 'up_to_date');
  });

  test('of which less than a tenth is left is kept for deployments', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    registry.manifests.set('app:latest', OLD);
    registry.headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '9;w=21600' };
    host.running = [
      { unit: 'web.service', image: `${registry.host}/app:latest`, digests: [OLD.digest] },
    ];
    assert.equal((await host.check()).units['web.service']?.status, 'up_to_date');
    const again = await host.check();
    assert.equal(again.units['web.service']?.reason, 'REGISTRY_RATE_LIMITED');
    const [limit] = host.store.registryAnswers.listLimits();
    assert.deepEqual(limit?.quota, { limit: 100, remaining: 9, windowS: 21_600, resetS: null });
  });
});

describe('higher versions', () => {
  test('are told as the policy of the unit wants them', async (t) => {
    const registry = await startRegistry(t);
    const host = makeHost(t, [registry]);
    const tags = ['1.2', '1.3', '1.10', '2.0', '1.11-alpine', '1.12.0', 'latest'];
    for (const tag of tags) registry.manifests.set(`app:${tag}`, OLD);
    const image = `${registry.host}/app:1.2`;
    host.running = ['default', 'major', 'off', 'bad'].map((name) => ({
      ...{ unit: `${name}.service`, image, digests: [OLD.digest] },
    }));
    host.files.set('/major.service', '[X-PodUp]\nHigherTags=major\n');
    host.files.set('/off.service', '[X-PodUp]\nHigherTags=off\n');
    host.files.set('/bad.service', '[X-PodUp]\nHigherTags=some\n');
    const { units } = await host.check();
    const higher = (name: string) => units[`${name}.service`]?.higher;
    assert.deepEqual(higher('default')?.tags, ['1.10', '1.3']);
    assert.deepEqual(higher('major')?.tags, ['2.0', '1.10', '1.3']);
    assert.equal(higher('off'), null);
    assert.equal(higher('bad')?.error?.code, 'UNIT_POLICY_INVALID');
    assert.equal(units['bad.service']?.status, 'up_to_date');
    const lists = () => registry.asked.filter((one) => one.includes('/tags/list'));
    assert.equal(lists().length, 1);
    await host.check({ isForced: false });
    assert.equal(lists().length, 1);
  });
});

test('a check of some units leaves the others as they were; one of all forgets what is gone', async (t) => {
  const registry = await startRegistry(t);
  const host = makeHost(t, [registry]);
  registry.manifests.set('app:latest', OLD);
  const image = `${registry.host}/app:latest`;
  host.running = ['a', 'b'].map((name) => ({
    ...{ unit: `${name}.service`, image, digests: [OLD.digest] },
  }));
  await host.check({ units: ['a.service'] });
  const stored = () => host.store.updateChecks.list().map(({ unit }) => unit);
  assert.deepEqual(stored(), ['a.service']);
  await host.check();
  assert.deepEqual(stored(), ['a.service', 'b.service']);
  host.running = host.running.slice(1);
  await host.check({ units: ['b.service'] });
  assert.deepEqual(stored(), ['a.service', 'b.service']);
  await host.check();
  assert.deepEqual(stored(), ['b.service']);
});
