import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';
import { BAD_IMAGES, type BadImage, pushBad, SOAK_MS } from './bad-images.ts';
import { codeOf, deploy, onHost, openSharedStore } from './host-fixture.ts';

/** From the restart to serving again, beside what the gate and the unit itself take. */
const MARGIN_MS = 3_000;
const CHAIN = ['first', 'second', 'third'] as const;

let lastPort = 8300;

/** A unit with the policy, serving v1, and three units that need it, one another in a row. */
export async function startServing(name: string, bad: BadImage) {
  lastPort++;
  const port = lastPort;
  const first = pushImage(`${name}:stable`, 'v1');
  const folder = join(homedir(), '.config/systemd/user');
  const policy = (bad.policy ?? []).map((line) => line.replace('PORT', String(port)));
  const lines = ['[X-PodUp]', `Soak=${SOAK_MS / 1000}`, ...policy];
  mkdirSync(join(folder, `${name}.service.d`), { recursive: true });
  writeFileSync(join(folder, `${name}.service.d/policy.conf`), `${lines.join('\n')}\n`);
  startUnit(name, `${name}:stable`, port, ...(bad.unit ?? []));
  const dependents = CHAIN.map((step) => `${name}-${step}.service`);
  for (const [index, unit] of dependents.entries()) {
    const needs = index === 0 ? `${name}.service` : dependents[index - 1];
    writeFileSync(
      join(folder, unit),
      `[Unit]\nRequires=${needs}\nAfter=${needs}\n[Service]\nExecStart=/bin/sleep infinity\n`,
    );
  }
  command('systemctl', '--user', 'daemon-reload');
  command('systemctl', '--user', 'start', ...dependents);
  await untilServed(port, 'v1');
  return { unit: `${name}.service`, port, first, dependents };
}

function untilServed(port: number, version: string): Promise<boolean> {
  return until(`${version} on ${port}`, 20_000, async () => (await served(port)) === version);
}

const isActive = (unit: string) =>
  command('systemctl', '--user', 'show', '--property=ActiveState', '--value', unit).trim();

/** Notes when the unit serves v1 again after it did not. */
function watchServing(port: number) {
  const seen = { back: Number.POSITIVE_INFINITY, isOver: false };
  const watch = async () => {
    let wasOther = false;
    while (!seen.isOver) {
      const isOld = (await served(port)) === 'v1';
      if (!isOld) {
        wasOther = true;
        seen.back = Number.POSITIVE_INFINITY;
      } else if (wasOther && seen.back === Number.POSITIVE_INFINITY) seen.back = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  void watch();
  return seen;
}

/** Deploys a bad image, and looks whether everything is as it was; then a good one. */
export async function tryBadImage(t: TestContext, bad: BadImage, run = onHost): Promise<void> {
  const name = `bad${BAD_IMAGES.indexOf(bad)}`;
  const host = await startServing(name, bad);
  const push = pushBad(name, bad);
  const watched = watchServing(host.port);
  const deployed = await deploy(host.unit, { run });
  await untilServed(host.port, 'v1');
  watched.isOver = true;
  assert.match(codeOf(deployed), bad.code, JSON.stringify(deployed.end));
  assert.deepEqual(host.dependents.map(isActive), ['active', 'active', 'active']);
  const row = openSharedStore().quarantine.find(host.unit, push.digest, Date.now());
  if (bad.code.source.includes('PULL')) {
    assert.equal(row, undefined, 'what was never started is not to blame');
    assert.equal(deployed.phaseMs.get('restarting'), undefined);
    return;
  }
  assert.equal(row?.code, codeOf(deployed));
  const tookMs = Math.round(watched.back - (deployed.phaseMs.get('restarting') ?? 0));
  const allowedMs = SOAK_MS + (bad.unitMs ?? 0) + MARGIN_MS;
  t.diagnostic(`${codeOf(deployed)}, serving again after ${tookMs} ms (${allowedMs} allowed)`);
  assert.ok(tookMs <= allowedMs, `${tookMs} of ${allowedMs} ms`);
  assert.match(deployed.end.summary, /was put back to sha256:/);
  const last = deployed.verdicts.at(-1);
  assert.deepEqual([last?.of, last?.part, last?.failure], ['old', 'digest', null]);
  await takesOnlyAnother(host, name, run);
}

/** Pushed and posted again it is left alone; another one is taken. */
async function takesOnlyAnother(
  host: Awaited<ReturnType<typeof startServing>>,
  name: string,
  run: RunCommand,
): Promise<void> {
  const again = await deploy(host.unit, { run });
  assert.equal(again.end.status, 'skipped', JSON.stringify(again.end));
  assert.match(again.end.summary, /IMAGE_QUARANTINED/);
  assert.equal(await served(host.port), 'v1');
  pushImage(`${name}:stable`, 'v3', '--healthcheck');
  const good = await deploy(host.unit, { run });
  assert.equal(good.end.status, 'succeeded', JSON.stringify([good.end, good.verdicts]));
  await untilServed(host.port, 'v3');
  assert.deepEqual(host.dependents.map(isActive), ['active', 'active', 'active']);
}
