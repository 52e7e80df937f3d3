import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { pushImage, served, startUnit } from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';
import { deploy, onHost, openSharedStore } from './host-fixture.ts';

const isLong = process.argv.some((word) => word.includes('.long.'));
const POLICY = { soakMs: 200 } as const;
const PORT = 8700;

const untilServed = (version: string) =>
  until(`${version} on ${PORT}`, 20_000, async () => (await served(PORT)) === version);

/** Runs commands, and says the number and the words of each as it begins. */
function onEach(begin: (number: number, argv: readonly string[]) => void): RunCommand {
  let number = 0;
  return (command) => {
    const result = onHost(command);
    begin(number++, command.argv);
    return result;
  };
}

/** Every step of a deployment is a command: a stop comes while one of them runs. */
async function stopAt(step: number, version: string, old: string, policy: object = POLICY) {
  const pushed = pushImage('stop:stable', version);
  const stop = new AbortController();
  let during = '';
  const run = onEach((number, argv) => {
    if (number !== step) return;
    during = argv.slice(0, 4).join(' ');
    stop.abort();
  });
  const deployed = await deploy('stop.service', { run, policy, stop: stop.signal });
  const { end, evidence, task } = deployed;
  const isNew = end.status === 'succeeded';
  const said = `${step} (${during}): ${JSON.stringify(end)}`;
  assert.ok(isNew || end.status === 'cancelled', said);
  await untilServed(isNew ? version : old);
  assert.match(end.summary, /stop\.service (runs|was put back to|was not touched: it runs)/, said);
  const digest = evidence.running_digest ?? 'nothing';
  assert.ok(end.summary.includes(digest), `${said} ${digest}`);
  assert.equal(digest === pushed.digest, isNew, said);
  const store = openSharedStore();
  assert.equal(store.quarantine.find('stop.service', pushed.digest, Date.now()), undefined);
  assert.ok([undefined, 'ended'].includes(store.deployments.find(task)?.stage), said);
  return { ...deployed, during };
}

describe('a person stops a deployment', () => {
  test('in any step: the unit serves the old or the new image, and the task says which', async (t) => {
    pushImage('stop:stable', 'v1');
    startUnit('stop', 'stop:stable', PORT);
    await untilServed('v1');
    pushImage('stop:stable', 'v2');
    const steps: string[] = [];
    const run = onEach((_number, argv) => void steps.push(argv.slice(0, 3).join(' ')));
    assert.equal((await deploy('stop.service', { run, policy: POLICY })).end.status, 'succeeded');
    await untilServed('v2');
    const every = isLong ? 1 : 3;
    let old = 'v2';
    const seen = new Set<string>();
    for (let step = 0; step < steps.length; step += every) {
      const version = `s${step}`;
      const { end, during } = await stopAt(step, version, old);
      if (end.status === 'succeeded') old = version;
      seen.add(end.summary.replace(/ to .*| runs .*/, ''));
      t.diagnostic(`${step} ${during}: ${end.status}`);
    }
    assert.deepEqual([...seen].filter((summary) => summary !== 'stop.service').sort(), [
      'stop.service was not touched: it',
      'stop.service was put back',
    ]);
  });

  test('where the unit must not go back, it goes on to the new image', async () => {
    const old = (await served(PORT)) ?? '';
    const isRestart = (argv: readonly string[]) => argv.includes('restart');
    const stop = new AbortController();
    pushImage('stop:stable', 'onward');
    const run = onEach((_number, argv) => {
      if (isRestart(argv)) stop.abort();
    });
    const policy = { ...POLICY, rollback: false };
    const { end } = await deploy('stop.service', { run, policy, stop: stop.signal });
    assert.equal(end.status, 'succeeded', `${old}: ${JSON.stringify(end)}`);
    await untilServed('onward');
  });

  test('while a bad image is taken back, which is done to its end', async () => {
    const old = (await served(PORT)) ?? '';
    pushImage('stop:stable', 'broken', '--broken');
    const stop = new AbortController();
    let restarts = 0;
    const run = onEach((_number, argv) => {
      if (argv.includes('restart') && ++restarts === 2) stop.abort();
    });
    const { end } = await deploy('stop.service', { run, policy: POLICY, stop: stop.signal });
    assert.equal(end.status, 'failed', JSON.stringify(end));
    assert.match(end.summary, /was put back to/);
    await untilServed(old);
  });
});
