import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { countStarts, pushImage, startUnit } from '../helpers/lab.ts';
import { systemctl, untilServed } from '../helpers/lab-units.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

const REGISTRY = process.env['LAB_REGISTRY'] ?? '';

type Hook = { readonly path: string; readonly secret: string };

let product: Product;

before(async () => {
  product = await Product.start({ PODUP_MANUAL_UNITS: 'alone, many, once' });
});
after(() => product[Symbol.asyncDispose]());

async function createHook(body: Readonly<Record<string, unknown>>): Promise<Hook> {
  type Made = { secret: { path: string; text: string } };
  const made = await product.post<Made>('/api/hooks', body);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return { path: made.body.secret.path, secret: made.body.secret.text };
}

/** Waits until nothing is left to do for a unit; its tasks. */
async function settled(unit: string) {
  return until(`${unit} has come to rest`, PATIENCE_MS * 2, async () => {
    const tasks = (await product.tasks()).filter((task) => task.unit === `${unit}.service`);
    const isOver = tasks.length > 0 && tasks.every(({ finished_at }) => finished_at !== null);
    // The list is asked over HTTP, which the deployment wants its turn beside.
    if (!isOver) await wait(200);
    return isOver && tasks;
  });
}

/** The digest that the last task of a unit proved. */
const provenOf = (tasks: readonly { digests: { running: string | null }; created_at: string }[]) =>
  tasks.toSorted((a, b) => a.created_at.localeCompare(b.created_at)).at(-1)?.digests.running;

describe('the registry itself tells of a push', () => {
  /** Has the registry of the lab post its notifications to a hook. */
  async function tellHook({ path, secret }: Hook): Promise<void> {
    const config = join(homedir(), 'registry.yml');
    writeFileSync(
      config,
      `version: 0.1
log: {level: warn, accesslog: {disabled: false}}
storage: {filesystem: {rootdirectory: /run/lab/registry}, delete: {enabled: true}}
http: {addr: "${REGISTRY}", secret: lab}
notifications:
  endpoints:
    - name: podup
      url: http://${product.address}${path}
      headers: {Authorization: [Bearer ${secret}]}
      timeout: 5s
      threshold: 5
      backoff: 1s
      ignoredmediatypes: [application/octet-stream]
`,
    );
    const folder = join(homedir(), '.config/systemd/user/lab-registry.service.d');
    mkdirSync(folder, { recursive: true });
    const start = `ExecStart=\nExecStart=/usr/bin/docker-registry serve ${config}\n`;
    writeFileSync(join(folder, 'notifications.conf'), `[Service]\n${start}`);
    systemctl('daemon-reload');
    systemctl('restart', 'lab-registry');
    await until('the registry answers', PATIENCE_MS, async () => {
      const answer = await fetch(`http://${REGISTRY}/v2/`).catch(() => undefined);
      return answer?.status === 200;
    });
  }

  before(async () => {
    pushImage('alone:stable', 'v1');
    startUnit('alone', 'alone:stable', 8081);
    await untilServed(8081, 'v1');
    // For that unit alone: the others are to be deployed by what is sent to them; on a busy machine they had what is not the newest.
    const of = { source: 'distribution', registry: REGISTRY, units: ['alone'] };
    await tellHook(await createHook({ name: 'lab', ...of }));
  });

  test('and the push alone has it deployed, once', async () => {
    const push = pushImage('alone:stable', 'v2');
    await untilServed(8081, 'v2');
    const tasks = await settled('alone');
    assert.equal(provenOf(tasks), push.digest);
    assert.ok(tasks.every(({ trigger }) => trigger.source === 'webhook'));
    assert.equal(countStarts('alone.service', 'v2'), 1);
  });

  test('also of an index, whose parts and layers are told of as well', async () => {
    const push = pushImage('alone:stable', 'v3', '--index');
    await untilServed(8081, 'v3');
    assert.equal(provenOf(await settled('alone')), push.digest);
    assert.equal(countStarts('alone.service', 'v3'), 1);
    const hook = await product.api<{ last_refusal: unknown }>('/api/hooks/lab');
    assert.equal(hook.last_refusal, null);
  });

  test('and what is pushed for nobody is ignored, with a reason, so that the registry goes on', async () => {
    pushImage('stranger:stable', 'v1');
    const push = pushImage('alone:stable', 'v4');
    await untilServed(8081, 'v4');
    assert.equal(provenOf(await settled('alone')), push.digest);
  });
});

describe('one delivery that comes again and again, all at once', () => {
  let hook: Hook;

  before(async () => {
    pushImage('once:stable', 'v1');
    startUnit('once', 'once:stable', 8082);
    await untilServed(8082, 'v1');
    hook = await createHook({ name: 'github', source: 'github', units: ['once'] });
  });

  for (const [title, target, version] of [
    ['a hook', () => hook, 'v2'],
    ['the path of the earlier program', () => undefined, 'v3'],
  ] as const) {
    test(`64 of one id to ${title} are one deployment`, async () => {
      const push = pushImage('once:stable', version);
      const body = makeBody('registry_package', push);
      const headers = makeHeaders('registry_package', body, randomUUID());
      const { path = '/github-package-update/once', secret } = target() ?? {};
      if (secret !== undefined) {
        const mac = createHmac('sha256', secret).update(body).digest('hex');
        headers['x-hub-signature-256'] = `sha256=${mac}`;
      }
      const url = `http://${product.address}${path}`;
      const answers = await Promise.all(Array.from({ length: 64 }, () => post(url, body, headers)));
      const statuses = new Set(answers.map(({ status }) => status));
      assert.deepEqual([...statuses].sort(), [200, 202]);
      assert.equal(answers.filter(({ status }) => status === 202).length, 1);
      await untilServed(8082, version);
      assert.equal(provenOf(await settled('once')), push.digest);
      assert.equal(countStarts('once.service', version), 1);
    });
  }
});

describe('500 deliveries for one image in a second', () => {
  let hook: Hook;
  const versions: Push[] = [];

  before(async () => {
    pushImage('many:stable', 'v1');
    startUnit('many', 'many:stable', 8083);
    await untilServed(8083, 'v1');
    hook = await createHook({ name: 'build', source: 'generic', units: ['many'] });
  });

  /** As a step of a build sends it (Standard Webhooks). */
  async function deliver({ repository, tag, digest }: Push): Promise<number> {
    const body = JSON.stringify({ image: repository, tag, digest });
    const [id, timestamp] = [`msg_${randomUUID()}`, String(Math.floor(Date.now() / 1000))];
    const key = Buffer.from(hook.secret.slice('whsec_'.length), 'base64');
    const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${mac}`,
    };
    const { status } = await post(`http://${product.address}${hook.path}`, body, headers);
    return status;
  }

  /** Over as many connections as one sender opens at a time; a further one would cost another its own (docs/limits.md). */
  async function deliverAll(pushes: readonly Push[]): Promise<number[]> {
    const waiting = [...pushes];
    const statuses: number[] = [];
    const lane = async () => {
      for (let push = waiting.shift(); push; push = waiting.shift()) {
        statuses.push(await deliver(push));
      }
    };
    await Promise.all(Array.from({ length: 100 }, lane));
    return statuses;
  }

  test('of one digest are all accepted and one deployment', async () => {
    versions.push(pushImage('many:stable', 'v2'));
    const startedAt = performance.now();
    const statuses = await deliverAll(Array.from({ length: 500 }, () => versions[0] as Push));
    const tookMs = performance.now() - startedAt;
    assert.deepEqual(new Set(statuses), new Set([202]), `in ${tookMs.toFixed(0)} ms`);
    await untilServed(8083, 'v2');
    assert.equal(provenOf(await settled('many')), versions[0]?.digest);
    assert.equal(countStarts('many.service', 'v2'), 1);
  });

  test('that name an older digest and the newest in any order deploy the newest, once', async () => {
    versions.push(pushImage('many:stable', 'v3'), pushImage('many:stable', 'v4'));
    const [, older, newest] = versions as [Push, Push, Push];
    const statuses = await deliverAll(
      Array.from({ length: 500 }, (_, at) => (at % 3 === 0 ? newest : older)),
    );
    assert.deepEqual(new Set(statuses), new Set([202]));
    await untilServed(8083, 'v4');
    assert.equal(provenOf(await settled('many')), newest.digest);
    // What the tag means counts, not what a delivery says of it.
    assert.equal(countStarts('many.service', 'v3'), 0);
    assert.equal(countStarts('many.service', 'v4'), 1);
  });
});
