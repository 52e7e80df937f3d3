import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EventView, Page } from '../../app/api/views.ts';
import { command, pushImage } from '../helpers/lab.ts';
import { containerUnit, startUnits, systemctl } from '../helpers/lab-units.ts';
import { Product, TOKEN } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import type { Push } from '../helpers/webhook.ts';

const UNITS = 50;
/** Some of fifty calls of podman at once fail on a busy machine. */
const AT_A_TIME = 5;
/** Fifty restarts, four at a time, each with its proof; on a busy machine with two cores. */
const DEPLOYED_WITHIN_MS = 200_000;
const names = Array.from({ length: UNITS }, (_, at) => `kept${String(at).padStart(2, '0')}`);

const start = (stateDir?: string) =>
  Product.start({
    PODUP_MANUAL_UNITS: names.join(','),
    PODUP_TASK_CONCURRENCY: '4',
    // Off in other tests, which count their tasks.
    PODUP_MISSED_DELIVERIES_CRON: '37 * * * *',
    ...(stateDir !== undefined && { PODUP_STATE_DIR: stateDir }),
  });

const pushAll = (version: string): Push[] =>
  names.map((name) => pushImage(`${name}:stable`, version));

/** What the containers of the units run, by the digest that their image was pulled with. */
function running(): ReadonlyMap<string, string> {
  const format = '{{index .Labels "PODMAN_SYSTEMD_UNIT"}} {{.ImageID}}';
  const containers = command('podman', 'ps', '--no-trunc', '--format', format).trim().split('\n');
  const images = new Map(
    command('podman', 'images', '--no-trunc', '--digests', '--format', '{{.ID}} {{.Digest}}')
      .trim()
      .split('\n')
      .map((line) => line.replace(/^sha256:/, '').split(' ') as [string, string]),
  );
  return new Map(
    containers.map((line) => {
      const [unit = '', image = ''] = line.split(' ');
      return [unit.replace(/\.service$/, ''), images.get(image) ?? ''];
    }),
  );
}

describe('the service is down while fifty images are pushed', () => {
  let product: Product;

  before(async () => {
    pushAll('v1');
    const opted = { unit: '[X-PodUp]\nWebhookEnabled=yes\n' };
    const files = names.map((name) => containerUnit(name, { image: `${name}:stable`, ...opted }));
    startUnits(Object.assign({}, ...files));
    for (let at = 0; at < UNITS; at += AT_A_TIME) {
      const some = names.slice(at, at + AT_A_TIME);
      systemctl('start', '--', ...some.map((name) => `${name}.service`));
    }
    // It has served before, and knows what was there.
    product = await start();
    const { task_id: id } = await until('the units are known', DEPLOYED_WITHIN_MS, async () => {
      const { status, body } = await product.post<{ task_id: string | null }>(
        '/api/schedule/missed-deliveries/run',
      );
      return status === 202 && typeof body.task_id === 'string' && { task_id: body.task_id };
    });
    await until('their tags were looked at', DEPLOYED_WITHIN_MS, async () => {
      const { status, summary } = await product.task(id);
      assert.notEqual(status, 'failed', summary);
      return status === 'succeeded';
    });
    await product.stop();
  });
  after(() => product[Symbol.asyncDispose]());

  test('after its start all fifty run what was pushed, without a webhook', async () => {
    const pushes = pushAll('v2');
    await using next = await start(product.stateDir);
    const ended = () => next.lines.filter(({ msg }) => msg === 'task ended').length;
    // And the task that found them.
    await until('fifty deployments', DEPLOYED_WITHIN_MS, () => ended() > UNITS);
    const tasks = (await next.tasks()).filter(({ kind }) => kind !== 'maintenance');
    assert.equal(tasks.length, UNITS, 'one deployment each');
    assert.deepEqual(new Set(tasks.map(({ status }) => status)), new Set(['succeeded']));
    const found = running();
    for (const [at, name] of names.entries()) {
      assert.equal(found.get(name), pushes[at]?.digest, name);
    }
    const { events } = await next.api<Page<'events', EventView>>(
      '/api/events?action=missed-delivery&limit=500',
    );
    assert.equal(events.length, UNITS);
    const metrics = await fetch(`http://${next.address}/metrics`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.match(
      await metrics.text(),
      new RegExp(`^podup_missed_deliveries_total\\{[^}]*\\} ${UNITS}$`, 'm'),
    );
  });
});
