import { type Failure, fail } from '../../shared/contract/outcome.ts';

/** Of a container: what its health check says; `none` where the image has none. */
export type ContainerHealth = 'none' | 'starting' | 'healthy' | 'unhealthy';

/** A unit at one moment. */
export type UnitSample = {
  readonly activeState: string;
  readonly subState: string;
  readonly result: string;
  readonly mainPid: number;
  /** How often systemd has restarted it by itself (`NRestarts`, systemd.service(5)). */
  readonly restarts: number;
};

/** One container of the unit at the same moment. */
export type ContainerSample = {
  readonly id: string;
  readonly running: boolean;
  readonly health: ContainerHealth;
};

/** What is seen of a unit at one moment. Times are of a monotonic clock, in milliseconds. */
export type GateSample = {
  readonly atMs: number;
  readonly unit: UnitSample;
  /** The containers of the image that is deployed; null where nobody asked podman this time. */
  readonly containers: readonly ContainerSample[] | null;
  /** It runs no container, and names no image: what systemd says of it is all that there is. */
  readonly isBare?: boolean;
};

/** How long a unit has until it serves, and how long it must go on then. */
export type GateRules = {
  readonly startTimeoutMs: number;
  readonly soakMs: number;
  readonly hasProbe: boolean;
};

/** Where the watch over a unit stands. */
export type GateState =
  /** Not up yet; `restarts` as they were when its job ended. */
  | { readonly phase: 'starting'; readonly sinceMs: number; readonly restarts: number | null }
  /** It is up and healthy, and must answer its probe. */
  | { readonly phase: 'probing'; readonly sinceMs: number; readonly baseline: Baseline }
  /** It serves, and must go on. */
  | { readonly phase: 'soaking'; readonly untilMs: number; readonly baseline: Baseline };

type Baseline = {
  readonly mainPid: number;
  readonly restarts: number;
  readonly containers: readonly string[];
};

/** What follows from a look at the unit. */
export type GateStep =
  | { readonly kind: 'wait'; readonly state: GateState }
  /** Its probe is to be asked; `onProbe` goes on. */
  | { readonly kind: 'probe'; readonly state: GateState & { readonly phase: 'probing' } }
  /** It went on for as long as it had to. */
  | { readonly kind: 'soaked' }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** The watch begins when the restart is ordered. */
export function openGate(nowMs: number): GateState {
  return { phase: 'starting', sinceMs: nowMs, restarts: null };
}

/** Judges one look at the unit. */
export function stepGate(state: GateState, sample: GateSample, rules: GateRules): GateStep {
  return state.phase === 'soaking'
    ? whileSoaking(state, sample)
    : untilServing(state, sample, rules);
}

/** The probe was asked: `failure` says why it is not content. It is asked again until the time to start is over. */
export function onProbe(
  state: GateState & { readonly phase: 'probing' },
  failure: Failure | null,
  nowMs: number,
  rules: GateRules,
): Exclude<GateStep, { kind: 'probe' }> {
  const { sinceMs, baseline } = state;
  if (!failure) return soak(baseline, nowMs, rules);
  if (nowMs < sinceMs + rules.startTimeoutMs) return { kind: 'wait', state };
  return { kind: 'failed', failure };
}

function untilServing(
  state: GateState & { readonly phase: 'starting' | 'probing' },
  sample: GateSample,
  rules: GateRules,
): GateStep {
  const { unit, atMs } = sample;
  const { sinceMs } = state;
  const restarts = state.phase === 'starting' ? state.restarts : state.baseline.restarts;
  if (restarts !== null && unit.restarts > restarts) return failed(restarted(unit));
  const trouble = isUp(sample);
  if (trouble?.isFinal) return failed(trouble.failure);
  if (trouble) {
    if (atMs >= sinceMs + rules.startTimeoutMs) return failed(trouble.failure);
    const next = { phase: 'starting', sinceMs, restarts: restarts ?? unit.restarts } as const;
    return { kind: 'wait', state: next };
  }
  const baseline = {
    mainPid: unit.mainPid,
    restarts: unit.restarts,
    containers: (sample.containers ?? []).map(({ id }) => id).sort(),
  };
  if (!rules.hasProbe) return soak(baseline, atMs, rules);
  return { kind: 'probe', state: { phase: 'probing', sinceMs, baseline } };
}

/** Who need not go on for any time is not looked at once more. */
function soak(
  baseline: Baseline,
  nowMs: number,
  { soakMs }: GateRules,
): Exclude<GateStep, { kind: 'probe' }> {
  if (soakMs === 0) return { kind: 'soaked' };
  return { kind: 'wait', state: { phase: 'soaking', untilMs: nowMs + soakMs, baseline } };
}

/** What keeps a unit from being up; final where waiting does not help. */
function isUp({
  unit,
  containers,
  isBare,
}: GateSample): { failure: Failure; isFinal: boolean } | null {
  if (unit.activeState === 'failed' || unit.activeState === 'inactive') {
    return { failure: down(unit), isFinal: true };
  }
  if (unit.activeState !== 'active') return { failure: down(unit), isFinal: false };
  if (isBare) return null;
  const found = containers ?? [];
  const sick = found.find(({ health }) => health === 'unhealthy');
  if (sick) return { failure: unhealthy(sick), isFinal: true };
  if (found.length === 0 || found.some(({ running }) => !running)) {
    const count = `${found.filter(({ running }) => running).length} of ${found.length} run.`;
    return { failure: fail('CONTAINER_NOT_RUNNING', count).failure, isFinal: false };
  }
  const starting = found.find(({ health }) => health === 'starting');
  return starting ? { failure: unhealthy(starting), isFinal: false } : null;
}

function whileSoaking(
  state: GateState & { readonly phase: 'soaking' },
  { atMs, unit, containers }: GateSample,
): GateStep {
  const { baseline, untilMs } = state;
  if (unit.activeState !== 'active') return failed(down(unit));
  const isSame = unit.mainPid === baseline.mainPid && unit.restarts === baseline.restarts;
  if (!isSame) return failed(restarted(unit));
  if (containers) {
    const sick = containers.find(({ health }) => health === 'unhealthy');
    if (sick) return failed(unhealthy(sick));
    const ids = containers.filter(({ running }) => running).map(({ id }) => id);
    if (ids.sort().join() !== baseline.containers.join()) return failed(restarted(unit));
  }
  return atMs >= untilMs ? { kind: 'soaked' } : { kind: 'wait', state };
}

function failed(failure: Failure): GateStep {
  return { kind: 'failed', failure };
}

function down({ activeState, subState, result }: UnitSample): Failure {
  return fail('GATE_UNIT_DOWN', `It is ${activeState} (${subState}), result ${result}.`).failure;
}

function restarted({ restarts }: UnitSample): Failure {
  const changed = 'Its main process, or a container of it, is not the one that came up';
  const detail = `${changed}; systemd has restarted it ${restarts} times.`;
  return fail('GATE_UNIT_RESTARTED', detail).failure;
}

function unhealthy({ id, health }: ContainerSample): Failure {
  return fail('GATE_UNHEALTHY', `Container ${id.slice(0, 12)} is ${health}.`).failure;
}
