import { withDigest, withTag } from './image-reference.ts';
import type { UnitPolicy } from './unit-policy.ts';
import type { Wanted } from './wanted.ts';

const MAX_DESCRIPTION = 2_000;

/** The closed list of what would come of a deployment now. */
export const PLAN_OUTCOMES = [
  'deploy',
  'only-pull',
  'ready-for-next-start',
  'nothing',
  'wait',
] as const;

/** What would come of a deployment now. */
export type PlanOutcome = (typeof PLAN_OUTCOMES)[number];

/** What is known before anything is touched. */
export type PlanFacts = Wanted & {
  /** What the unit runs; null: nothing. */
  readonly running: { readonly digest: string; readonly image: string } | null;
  readonly isWantedRunning: boolean;
  readonly isStopped: boolean;
  /** What it would go back to, and the name that holds it or would; null: nothing. */
  readonly former: {
    readonly imageId: string;
    readonly heldAs: string;
    readonly isNew: boolean;
  } | null;
  /** Active units that systemd stops with it. */
  readonly dependents: readonly string[];
  /** Why it is not deployed now, where something holds it back, and until when. */
  readonly obstacle: { readonly why: string; readonly notBeforeMs: number | null } | null;
};

/** What a deployment would do: the part of a plan that has to be the same when it is carried out. */
export type Steps = {
  readonly unit: string;
  readonly image: string;
  readonly wanted_digest: string;
  readonly running_digest: string | null;
  readonly running_image: string | null;
  readonly outcome: PlanOutcome;
  readonly why: string;
  /** In their order, each an argument list. */
  readonly commands: readonly (readonly string[])[];
  /** What is restarted, first, and what systemd stops together with it and is active again afterwards. */
  readonly restarts: readonly string[];
  /** What the unit has to prove, in words. */
  readonly proof: readonly string[];
  /** What the Quadlet file of the unit says afterwards; null: no file is edited. */
  readonly writes: string | null;
};

/** Lays out what a deployment would do. */
export function planSteps(facts: PlanFacts): Steps {
  const { outcome, why } = decide(facts);
  const { unit, image, digest, running } = facts;
  const isRestarted = outcome === 'deploy';
  return {
    unit,
    image: withTag(image),
    wanted_digest: digest,
    running_digest: running?.digest ?? null,
    running_image: running?.image ?? null,
    outcome,
    why,
    commands: listCommands(facts, outcome),
    restarts: isRestarted ? [...new Set([facts.restartUnit, ...facts.dependents])] : [],
    proof: isRestarted ? describeProof(facts.policy) : [],
    writes: isRestarted && facts.writeImage !== null ? `Image=${facts.writeImage}` : null,
  };
}

function decide(facts: PlanFacts): { outcome: PlanOutcome; why: string } {
  const { unit, policy, obstacle } = facts;
  if (facts.isWantedRunning) return { outcome: 'nothing', why: `${unit} runs it already.` };
  if (obstacle) {
    return { outcome: obstacle.notBeforeMs === null ? 'nothing' : 'wait', why: obstacle.why };
  }
  if (policy.mode === 'stage') return { outcome: 'only-pull', why: `Mode=stage of ${unit}.` };
  if (facts.isStopped) {
    return { outcome: 'ready-for-next-start', why: `${unit} is stopped, and is not started.` };
  }
  return { outcome: 'deploy', why: `${unit} does not run it.` };
}

function listCommands(facts: PlanFacts, outcome: PlanOutcome): (readonly string[])[] {
  const { unit, restartUnit, image, digest, heldHere, former } = facts;
  if (outcome === 'nothing' || outcome === 'wait') return [];
  const wanted = heldHere ?? withDigest(image, digest);
  const pull = heldHere === null ? [['podman', 'pull', '--quiet', '--', wanted]] : [];
  if (outcome === 'only-pull') return pull;
  const hold = former?.isNew ? [['podman', 'tag', former.imageId, former.heldAs]] : [];
  const tag = ['podman', 'tag', wanted, withTag(image)];
  if (outcome === 'ready-for-next-start') return [...pull, ...hold, tag];
  return [...pull, ...hold, tag, ...listRestart(unit, restartUnit)];
}

function describeProof(policy: UnitPolicy): string[] {
  return [
    ...describeServing(policy),
    'Every container of its image runs the wanted digest.',
    policy.rollback ? 'Else it goes back.' : 'Else it is left as it is (Rollback=no).',
  ];
}

/** What a restart would do; nothing is pulled for it. */
export type RestartSteps = Pick<
  Steps,
  'unit' | 'running_digest' | 'running_image' | 'commands' | 'restarts' | 'proof'
> & {
  /** The image that the name of the unit means here by now, where that is not the one it runs. */
  readonly brings: string | null;
};

/** Lays out what a restart would do. */
export function planRestart(facts: {
  readonly unit: string;
  readonly restartUnit: string;
  readonly running: PlanFacts['running'];
  readonly brings: string | null;
  readonly dependents: readonly string[];
  readonly policy: UnitPolicy;
}): RestartSteps {
  const { unit, restartUnit, running, brings, dependents, policy } = facts;
  return {
    unit,
    running_digest: running?.digest ?? null,
    running_image: running?.image ?? null,
    brings,
    commands: listRestart(unit, restartUnit),
    restarts: [...new Set([restartUnit, ...dependents])],
    proof: describeServing(policy),
  };
}

function listRestart(unit: string, restartUnit: string): (readonly string[])[] {
  return [
    ['systemctl', '--user', 'reset-failed', '--', ...new Set([unit, restartUnit])],
    ['systemctl', '--user', 'restart', '--', restartUnit],
  ];
}

/** What a unit has to prove after any restart. */
function describeServing(policy: UnitPolicy): string[] {
  const { startTimeoutMs, soakMs, probe, logMust, logMustNot } = policy;
  const seconds = (ms: number) => `${ms / 1000} s`;
  return [
    `The job of the restart succeeds, and the unit is up and healthy within ${seconds(startTimeoutMs)}.`,
    ...(probe ? [`Its probe (${probe.kind}) answers, now and after the soak time.`] : []),
    `Nothing changes for ${seconds(soakMs)}: main process, containers, health.`,
    ...(logMust === null ? [] : ['Its log has what LogMust= asks for.']),
    ...(logMustNot === null ? [] : ['Its log has nothing of what LogMustNot= forbids.']),
  ];
}

/** One thing that is otherwise than it was planned. */
export type PlanDifference = {
  readonly field: keyof Steps;
  readonly planned: unknown;
  readonly now: unknown;
};

/** What is different now; empty where a plan can be carried out. */
export function comparePlans(planned: Steps, now: Steps): readonly PlanDifference[] {
  const fields = Object.keys(now) as (keyof Steps)[];
  return fields
    .filter((field) => JSON.stringify(planned[field]) !== JSON.stringify(now[field]))
    .map((field) => ({ field, planned: planned[field], now: now[field] }));
}

/** The differences in words, at most 2,000 characters. */
export function describeDifferences(differences: readonly PlanDifference[]): string {
  const said = differences.map(
    ({ field, planned, now }) =>
      `${field}: planned ${JSON.stringify(planned)}, now ${JSON.stringify(now)}`,
  );
  return `${said.join('; ').slice(0, MAX_DESCRIPTION)}.`;
}

/** The middle of these times in milliseconds; null where there is none. */
export function median(times: readonly number[]): number | null {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return null;
  if (sorted.length % 2 === 1) return sorted[middle] ?? null;
  return Math.round(((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2);
}
