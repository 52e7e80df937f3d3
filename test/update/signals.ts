import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import type { UpdateState } from '../../shared/contract/update-record.ts';
import { type Installation, type Service, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { until } from '../helpers/until.ts';
import { checkLeftovers } from '../helpers/update-checks.ts';
import { type Offer, prepareFailpoints, readRecord } from './fault-fixture.ts';

/** An update, and the states in which it is met by a signal; one start of the service may be cut off three times. */
export type Story = {
  readonly what: string;
  readonly offer: Offer;
  readonly states: readonly UpdateState[];
  readonly outcome: string;
};

/** Each time that a record is written; the new supervisor writes the one that it was handed again. */
const GOOD_UPDATE: readonly UpdateState[] = [
  ...(['requested', 'staging', 'staged', 'quiescing', 'backing-up', 'switching', 'trial'] as const),
  ...(['handing-over', 'handing-over', 'committing'] as const),
];

/** Stops the supervisor in each of these states in turn, and starts it again. */
export function describeStops(signal: 'SIGTERM' | 'SIGINT', stories: readonly Story[]): void {
  describe(`${signal} to the supervisor`, () => {
    for (const story of stories) {
      test(`in ${story.what}: it goes on at each next start, and ends as ever`, (t) =>
        stopAgainAndAgain(t, signal, story));
    }
  });
}

async function stopAgainAndAgain(
  t: TestContext,
  signal: NodeJS.Signals,
  { offer, states, outcome }: Story,
): Promise<void> {
  await using installation = await prepareFailpoints(offer);
  let service = startPausing(installation, states.slice(0, 1));
  await service.ready();
  const asked = installation.ask({ command: 'run' });
  for (const [index, state] of states.entries()) {
    await t.test(`while it is ${state}`, async () => {
      await paused(service);
      const { triesLeft } = readRecord(installation);
      assert.equal(readRecord(installation).state, state);
      service.child.kill(signal);
      service.child.kill('SIGCONT');
      await service.exited;
      assert.equal(service.child.exitCode, 0);
      if (state === 'trial' || state === 'handing-over') {
        const after = readRecord(installation);
        assert.deepEqual(
          [after.state, after.triesLeft],
          ['trial', state === 'trial' ? triesLeft + 1 : 3],
        );
      }
    });
    service = startPausing(installation, states.slice(index + 1, index + 2));
  }
  const { txn } = await asked;
  const end = await installation.finished(txn ?? '');
  assert.equal(end.outcome, outcome);
  await service.ready();
  assert.equal(await service.version(), outcome === 'committed' ? '1.1.0' : '1.0.0');
  checkLeftovers(installation);
}

/** Sends the supervisor signals in each state that mean nothing then. */
export async function disturb(t: TestContext): Promise<void> {
  await using installation = await prepareFailpoints({});
  const service = startPausing(installation, [...new Set(GOOD_UPDATE)]);
  await service.ready();
  const { pid } = service.child;
  const asked = installation.ask({ command: 'run' });
  for (const [index, state] of GOOD_UPDATE.entries()) {
    const by = index > GOOD_UPDATE.indexOf('handing-over') ? 'new' : 'old';
    await t.test(`while it is ${state} under the ${by} supervisor`, async () => {
      await paused(service);
      assert.equal(readRecord(installation).state, state);
      for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) service.child.kill(signal);
      service.child.kill('SIGCONT');
    });
  }
  const { txn } = await asked;
  assert.equal((await installation.finished(txn ?? '')).outcome, 'committed');
  assert.equal(service.child.exitCode, null);
  assert.equal(await service.version(), '1.1.0');
  assert.equal(service.child.pid, pid);
  assert.doesNotMatch(service.output, /Debugger/);
}

function startPausing(installation: Installation, states: readonly UpdateState[]): Service {
  const points = states.map((state) => `after:persist:${state}=pause`);
  return installation.start({ FAILPOINTS: points.join(';') });
}

/** Waits until the supervisor has stopped itself. */
function paused({ child: { pid } }: Service): Promise<true> {
  return until('the supervisor stops itself', UPDATE_PATIENCE_MS, () =>
    / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ')')),
  );
}
