import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { publish } from '../helpers/release.ts';
import type { Behaviour } from '../helpers/release-behaviours.ts';
import { findAddress, ServiceManager } from '../helpers/service-manager.ts';
import { SteadyClient } from '../helpers/steady-client.ts';
import { until } from '../helpers/until.ts';
import * as checks from '../helpers/update-checks.ts';
import { ask, type Failpoints, STORIES, type Stage, type Story } from './failpoint-stories.ts';
import { type StoryName, TRACE_VARIABLE, VARIABLE } from './failpoints.ts';

/** Deliveries that are to be accepted while the disk is sick. */
const SOME = 20;

/** A story, and what is broken in it. */
export type Scenario = {
  readonly story: StoryName;
  readonly failpoints: Failpoints;
  /** The same for the start that follows. */
  readonly again?: Failpoints;
  /** Which version may serve in the end: the one that the story tells, or also the other one of the two. */
  readonly end: 'as told' | 'old or next' | 'any';
  /** The disk is sick until the service was killed and started again. */
  readonly isMended?: boolean;
};

/** Plays a story and looks at what has become of everything; all points that were passed, in order. */
export async function play(scenario: Scenario): Promise<readonly string[]> {
  const story: Story = STORIES[scenario.story];
  const address = await findAddress();
  await using installation = await Installation.make({
    first: toRelease(story.old ? [story.old] : []),
    environment: {
      PODUP_HTTP_ADDR: address,
      PODUP_SELF_UPDATE_SOAK_MS: '200',
      ...story.environment,
    },
  });
  const releases = await buildReleases(installation, story);
  await story.prepare?.(installation);

  const trace = join(installation.folder, 'trace');
  const withPoints = (points: Failpoints = {}) => ({
    environment: { [VARIABLE]: formatPoints(points), [TRACE_VARIABLE]: trace },
  });
  await using manager = new ServiceManager(installation, [
    withPoints({ ...story.failpoints, ...scenario.failpoints }),
    ...(scenario.again ? [withPoints(scenario.again)] : []),
    // Whoever was to go on with what a story has stopped has been refused by the sick disk already.
    withPoints(story.isRepeated && !scenario.isMended ? story.failpoints : {}),
  ]);
  const isSick = scenario.isMended === true;
  const stage = { installation, manager, ...releases, isSick };
  const readTrace = () =>
    existsSync(trace) ? readFileSync(trace, 'utf8').split('\n').filter(Boolean) : [];
  try {
    await act(stage, scenario, address, readTrace);
  } catch (error) {
    throw new Error(`${error}\n${manager.output}`, { cause: error });
  }
  return readTrace();
}

function toRelease(behaviours: readonly Behaviour[]) {
  return { entry: 'failpoints', break: behaviours } as const;
}

async function buildReleases(installation: Installation, story: Story) {
  const first = toRelease(story.old ? [story.old] : []);
  const old = await installation.build({ ...first, version: '1.0.0' });
  const next = await installation.build({
    ...toRelease(story.next ?? []),
    version: '1.1.0',
    generation: 2,
  });
  const newest = await installation.build({ ...toRelease([]), version: '1.2.0', generation: 3 });
  publish(installation.releasesDir, next);
  return { old, next, newest };
}

function formatPoints(points: Failpoints): string {
  return Object.entries(points)
    .map(([point, action]) => `${point}=${action}`)
    .join(';');
}

async function act(
  stage: Stage,
  scenario: Scenario,
  address: string,
  readTrace: () => readonly string[],
): Promise<void> {
  const { installation, manager } = stage;
  const story: Story = STORIES[scenario.story];
  await manager.serves(checks.GAP_MS);
  using client = new SteadyClient(address);
  const acted = story.act(stage);
  if (scenario.isMended) await mend(scenario, manager, client, readTrace);
  await acted;
  // Where a disk fails on the way back it is for a person to see that it is well again.
  if (scenario.end === 'any' && (await checks.held(installation, manager))) {
    await ask(stage, { command: 'resume' });
  }
  await checks.settled(installation, manager);
  await check(stage, client, story, scenario.end);
}

/** Webhooks are accepted with a sick disk as with any; then it is mended, and the service started anew. */
async function mend(
  { failpoints }: Scenario,
  manager: ServiceManager,
  client: SteadyClient,
  readTrace: () => readonly string[],
): Promise<void> {
  const [point = ''] = Object.keys(failpoints);
  await until(`${point} is reached`, UPDATE_PATIENCE_MS, () => {
    manager.check();
    return readTrace().includes(point);
  });
  const before = client.acknowledged.length;
  await until(
    'further deliveries are accepted',
    UPDATE_PATIENCE_MS,
    () => client.acknowledged.length > before + SOME,
  );
  manager.service.child.kill('SIGKILL');
}

async function check(
  stage: Stage,
  client: SteadyClient,
  story: Story,
  end: Scenario['end'],
): Promise<void> {
  const { installation, manager, old, next, newest } = stage;
  const serving = {
    'as told': [stage[story.serves]],
    'old or next': [old, next],
    any: [old, next, newest],
  }[end];
  const isExact = story.next?.some((behaviour) => behaviour.includes('must-not-run'));
  await checks.checkEnding({
    ...{ installation, manager, client, serving },
    schemas: isExact ? [] : [old.schema, next.schema],
    ...(story.isLossy && { isLossy: true }),
    ...(end !== 'any' && { updates: story.updates ?? 1 }),
  });
  if (story.isBad && end === 'as told') {
    assert.deepEqual(checks.quarantined(installation), [next.digest]);
  }
}
