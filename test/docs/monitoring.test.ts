// Needs: promtool
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serveAll } from '../app/http/every-route/serve-all.ts';
import { ask, defer, makeFolder, TOKEN } from '../app/http/http-fixture.ts';

const DOCS = join(import.meta.dirname, '../../docs/monitoring');
const ALERTS = join(DOCS, 'alerts.yml');

/** What a worker says at /metrics. */
async function scrape(context: TestContext): Promise<string> {
  const world = await serveAll(makeFolder(context));
  defer(context, world.stop);
  const { text } = await ask(world.port, {
    path: '/metrics',
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  return text;
}

function promtool(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

test('promtool finds no fault with the metrics of a worker', async (t) => {
  const { status, said } = promtool(['check', 'metrics'], await scrape(t));
  assert.deepEqual({ status, said }, { status: 0, said: '' });
});

test('promtool takes the alerts', () => {
  const { status, said } = promtool(['check', 'rules', ALERTS]);
  assert.equal(status, 0, said);
});

test('alerts and dashboard ask for metrics that there are', () => {
  const source = readFileSync(join(DOCS, '../../app/metrics/list-metrics.ts'), 'utf8');
  const known = new Set(source.match(/\b(?:podup|process|nodejs)_[a-z_]+/g));
  const dashboard = readFileSync(join(DOCS, 'grafana-dashboard.json'), 'utf8');
  const asked = `${readFileSync(ALERTS, 'utf8')}${dashboard}`
    .match(/\b(?:podup|process|nodejs)_[a-z_]+/g)
    ?.map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
  assert.ok(asked && asked.length > 30);
  assert.deepEqual(
    [...new Set(asked)].filter((name) => !known.has(name)),
    [],
  );
  // The other way round, too: what nobody shows is of no use.
  const shown = [...known].filter((name) => !['process_start_time_seconds'].includes(name));
  assert.deepEqual(
    shown.filter((name) => !dashboard.includes(name)),
    [],
  );
});
