import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { askByFile } from '../../app/updates/ask-by-file.ts';
import { parseUpdateRequest, type UpdateRequest } from '../../shared/contract/update-request.ts';
import { type Installation, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { publish, type Release } from '../helpers/release.ts';
import { type Behaviour, NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import type { ServiceManager } from '../helpers/service-manager.ts';
import { until } from '../helpers/until.ts';
import { held, stateOfRecord } from '../helpers/update-checks.ts';
import type { ActionText, EffectPoint, FilePoint, STEP, StoryName } from './failpoints.ts';

/** What a story works with: an installation that serves, and whoever starts it again. */
export type Stage = {
  readonly installation: Installation;
  readonly manager: ServiceManager;
  /** The version that is installed, and the one that is offered. */
  readonly old: Release;
  readonly next: Release;
  /** One that is built, but not offered yet. */
  readonly newest: Release;
  /** Nobody can be answered on a sick disk: the asker then has to give up after a while. */
  readonly isSick?: boolean;
};

const SICK_PATIENCE_MS = 10_000;

/** What is made to happen at some points. */
export type Failpoints = {
  readonly [P in EffectPoint | FilePoint | `${typeof STEP}#${number}`]?: ActionText;
};

/** An update, or something else that a supervisor is asked for. */
export type Story = {
  readonly environment?: Readonly<Record<string, string>>;
  /** What is special about the version that is installed, and about the one that is offered. */
  readonly old?: Behaviour;
  readonly next?: readonly Behaviour[];
  /** What belongs to the story itself. */
  readonly failpoints?: Failpoints;
  /** Whether that happens again under a supervisor that was started anew. */
  readonly isRepeated?: boolean;
  /** Done by a service of its own, before anything is broken. */
  readonly prepare?: (installation: Installation) => Promise<void>;
  /** What is asked for, up to its last answer. */
  readonly act: (stage: Stage) => Promise<unknown>;
  /** The version that serves in the end. */
  readonly serves: 'old' | 'next' | 'newest';
  /** Whether the version that is offered is never taken again. */
  readonly isBad?: boolean;
  /** Updates that are carried out or begun; default: one. */
  readonly updates?: number;
  /** A person has given up what was written into the database since. */
  readonly isLossy?: boolean;
};

const MUST_NOT_RUN: Behaviour = `migration:${NEXT_MIGRATION}:must-not-run`;

const run = (stage: Stage) => ask(stage, { command: 'run' });

/** Every story by its name. Together they come past every point of the registry. */
export const STORIES = {
  'a good update': {
    next: [`migration:${NEXT_MIGRATION}:may-run`],
    act: run,
    serves: 'next',
  },
  'a release that crashes at its start': {
    next: ['crash-at-start'],
    act: run,
    serves: 'old',
    isBad: true,
  },
  'a release that crashes after it has changed the database': {
    next: [MUST_NOT_RUN, 'crash-after-ms:1'],
    act: run,
    serves: 'old',
    isBad: true,
  },
  'a release that hangs': {
    environment: { PODUP_SELF_UPDATE_START_TIMEOUT_MS: '5000' },
    next: ['hang'],
    act: run,
    serves: 'old',
    isBad: true,
  },
  'a release whose supervisor does not start': {
    next: ['supervisor-throws'],
    act: run,
    serves: 'old',
    isBad: true,
  },
  'a release whose worker dies under its own supervisor': {
    next: [MUST_NOT_RUN],
    failpoints: { 'before:probe:handing-over': 'kill-children*9' },
    isRepeated: true,
    act: run,
    serves: 'old',
    isBad: true,
  },
  'an old version that does not stop': {
    environment: { PODUP_STOP_TIMEOUT_MS: '1000' },
    old: 'ignore-sigterm',
    act: run,
    serves: 'next',
  },
  'a cancelled update': {
    failpoints: { 'before:stage:staging': 'pause' },
    isRepeated: true,
    act: cancelWhilePaused,
    serves: 'old',
  },
  'a backup that fails': {
    failpoints: { 'sync#2:back-up:backing-up': 'error(EIO)' },
    isRepeated: true,
    act: run,
    serves: 'old',
  },
  'a dry run': {
    act: (stage) => ask(stage, { command: 'run', dryRun: true }),
    serves: 'old',
  },
  'a stop in the middle of a trial': {
    environment: { PODUP_SELF_UPDATE_SOAK_MS: '1000' },
    act: stopInTrial,
    serves: 'next',
  },
  'going back on purpose, with the database': {
    next: [MUST_NOT_RUN],
    prepare: install,
    act: (stage) =>
      ask(stage, { command: 'rollback', version: stage.old.version, restoreDatabase: true }),
    serves: 'old',
    updates: 2,
    isLossy: true,
  },
  'a hold that is ended': {
    act: async (stage) => {
      await ask(stage, { command: 'hold' });
      await ask(stage, { command: 'run' });
      await ask(stage, { command: 'resume' });
    },
    serves: 'old',
    updates: 0,
  },
  'two bad versions, and a person who helps': {
    next: ['crash-at-start'],
    failpoints: { 'before:probe:rolling-back': 'kill-children*3' },
    act: async (stage) => {
      await run(stage);
      if (await held(stage.installation, stage.manager)) await untilStandby(stage);
      await ask(stage, { command: 'resume' });
    },
    serves: 'old',
    isBad: true,
  },
  'two bad versions, and a newer one that helps': {
    next: ['crash-at-start'],
    failpoints: { 'before:probe:rolling-back': 'kill-children*3' },
    act: async (stage) => {
      await run(stage);
      await held(stage.installation, stage.manager);
      publish(stage.installation.releasesDir, stage.newest);
      await run(stage);
    },
    serves: 'newest',
    updates: 2,
    isBad: true,
  },
} as const satisfies Readonly<Record<StoryName, Story>>;

/** While neither version runs webhooks are accepted all the same. */
async function untilStandby({ installation, manager }: Stage): Promise<void> {
  const address = installation.environment['PODUP_HTTP_ADDR'];
  await until('the standby accepts webhooks', UPDATE_PATIENCE_MS, async () => {
    manager.check();
    const answer = await fetch(`http://${address}/health`).catch(() => undefined);
    return answer?.status === 503;
  });
}

/** Asks, and takes a refusal for an answer; only silence is none. */
export async function ask(
  { installation, manager, isSick }: Stage,
  request: Partial<UpdateRequest> & { readonly command: string },
): Promise<void> {
  const full = parseUpdateRequest({ id: `req-${process.hrtime.bigint()}`, ...request });
  assert.ok(full);
  const waitMs = isSick ? SICK_PATIENCE_MS : UPDATE_PATIENCE_MS;
  const asked = await askByFile(installation.paths, full, { waitMs });
  if (!asked.ok && asked.failure.code === 'UPDATE_SUPERVISOR_UNREACHABLE' && !isSick) {
    throw new Error(`${asked.failure.detail} The log is:\n${manager.output}`);
  }
}

async function cancelWhilePaused(stage: Stage): Promise<void> {
  const { installation, manager } = stage;
  await run(stage);
  const { updateRecord } = installation.paths;
  await until('a paused supervisor', UPDATE_PATIENCE_MS, () => {
    manager.check();
    return isStopped(manager.service.child.pid) && stateOfRecord(updateRecord) === 'staging';
  });
  let isAnswered = false;
  const answer = ask(stage, { command: 'cancel' }).finally(() => {
    isAnswered = true;
  });
  // One that is killed by then is followed by another, which pauses at the same point.
  await until('an answer', UPDATE_PATIENCE_MS, () => {
    if (isStopped(manager.service.child.pid)) manager.service.child.kill('SIGCONT');
    return isAnswered;
  });
  await answer;
}

function isStopped(pid: number | undefined): boolean {
  try {
    return / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function stopInTrial(stage: Stage): Promise<void> {
  const { installation, manager } = stage;
  await run(stage);
  const { updateRecord } = installation.paths;
  await until('a trial', UPDATE_PATIENCE_MS, () => {
    manager.check();
    return stateOfRecord(updateRecord) === 'trial' || installation.history().length > 0;
  });
  manager.service.child.kill('SIGTERM');
}

async function install(installation: Installation): Promise<void> {
  const service = installation.start();
  await service.ready();
  const { outcome } = await installation.update();
  assert.equal(outcome, 'committed');
  await service.stop();
}
