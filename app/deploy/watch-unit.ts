import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import {
  type GateRules,
  type GateState,
  type GateStep,
  onProbe,
  openGate,
  stepGate,
} from '../domain/gate.ts';
import {
  type ImageReference,
  parseImageReference,
  sameRepository,
} from '../domain/image-reference.ts';
import type { Probe, UnitPolicy } from '../domain/unit-policy.ts';
import type { ProbeSource } from '../host/host.ts';
import { type SeenContainer, seeUnitContainers } from '../host/podman.ts';
import { readUnitSample } from '../host/read-unit-state.ts';
import { readUnitLog } from '../host/systemctl.ts';
import { askProbe } from './ask-probe.ts';
import { pause, wasStopped } from './until-stopped.ts';

/** A part of the proof that a unit serves, as it is recorded. */
export type GateVerdict = {
  readonly part: 'start' | 'soak' | 'probe' | 'log' | 'digest';
  readonly failure: Failure | null;
  readonly ms: number;
  readonly detail: string;
};

/** What is watched, and by what it is judged. */
export type Watch = {
  readonly run: RunCommand;
  readonly ask: ProbeSource;
  readonly unit: string;
  /** Its containers of this repository are looked at; null: all of them, if it has any. */
  readonly image: ImageReference | null;
  readonly policy: Pick<
    UnitPolicy,
    'startTimeoutMs' | 'soakMs' | 'probe' | 'logMust' | 'logMustNot'
  >;
  /** When the restart was ordered, of the wall clock: what was logged before is not looked at. */
  readonly sinceWallMs: number;
  /** The same of the monotonic clock: the first verdict says how long it took from there. */
  readonly sinceMs: number;
  /** Whether what runs is the image that is to run; `seen`: the containers of the unit as they were just now. */
  readonly checkImage: (seen?: readonly SeenContainer[]) => Promise<Outcome<string>>;
  readonly onVerdict: (verdict: GateVerdict) => void;
  /** Ends the watch with DEPLOYMENT_STOPPED; absent where nothing may. */
  readonly stop?: AbortSignal | undefined;
};

/**
 * systemd tells of changes only to whoever subscribes on the bus, for which there is no client here: it is asked. Each
 * question is one short process.
 */
const EVERY_MS = 500;
/** So often it is asked in a row before that counts. */
const LOOKS = 4;
/** One answer that is lost must not undo a deployment. */
const LAST_PROBES = 3;

/**
 * Watches a unit whose restart has ended well until it is proven to serve: up and healthy, probed, then unchanged for
 * its soak time, and probed again; what it logged, and at last that it runs the right image. The first part that fails
 * ends it.
 */
export async function watchUnit(watch: Watch): Promise<Outcome<void>> {
  const rules = { ...watch.policy, hasProbe: watch.policy.probe !== null };
  let state: GateState = openGate(performance.now());
  const verdict = timeVerdicts(watch);
  let hasHealth = true;
  for (;;) {
    if (watch.stop?.aborted) return { ok: false, failure: wasStopped() };
    const sample = await lookWithin(watch, state.phase !== 'soaking' || hasHealth);
    if (!sample.ok) return sample;
    const { containers } = sample.value;
    if (containers) hasHealth = containers.some(({ health }) => health !== 'none');
    const step = await judge(watch, stepGate(state, sample.value, rules), rules);
    if (step.kind === 'failed') {
      verdict(partOf(state, step.failure), step.failure, '');
      return { ok: false, failure: step.failure };
    }
    if (isUpNow(state, step)) verdict('start', null, 'Up, and healthy where it says so.');
    if (step.kind === 'soaked') {
      verdict('soak', null, `Unchanged for ${rules.soakMs} ms.`);
      return proveAtTheEnd(watch, verdict, sample.value.seen);
    }
    state = step.state;
    await pause(untilNext(state, rules), watch.stop);
  }
}

function isUpNow(before: GateState, now: Exclude<GateStep, { kind: 'probe' | 'failed' }>): boolean {
  const isUp = now.kind === 'soaked' || now.state.phase === 'soaking';
  return isUp && before.phase !== 'soaking';
}

/** A step without the question to the probe: that is asked here. */
async function judge(
  { policy, run, ask }: Watch,
  step: GateStep,
  rules: GateRules,
): Promise<Exclude<GateStep, { kind: 'probe' }>> {
  if (step.kind !== 'probe') return step;
  const failure = policy.probe && (await askProbe(policy.probe, run, ask));
  return onProbe(step.state, failure, performance.now(), rules);
}

function partOf(state: GateState, { code }: Failure): GateVerdict['part'] {
  if (code === 'GATE_PROBE_FAILED') return 'probe';
  return state.phase === 'soaking' ? 'soak' : 'start';
}

/** Each verdict with the time since the one before. */
function timeVerdicts({ onVerdict, sinceMs: orderedMs }: Watch): Say {
  let sinceMs = orderedMs;
  return (part, failure, detail) => {
    const nowMs = performance.now();
    onVerdict({ part, failure, ms: Math.round(nowMs - sinceMs), detail });
    sinceMs = nowMs;
  };
}

/** The last look is when the time is over, and not up to a whole pause later. */
function untilNext(state: GateState, { startTimeoutMs }: GateRules): number {
  const endMs = state.phase === 'soaking' ? state.untilMs : state.sinceMs + startTimeoutMs;
  return Math.max(1, Math.min(EVERY_MS, endMs - performance.now()));
}

/** One question that goes unanswered says nothing about the unit. */
async function lookWithin(watch: Watch, isWhole: boolean) {
  for (let tries = 1; ; tries++) {
    const sample = await look(watch, isWhole);
    if (sample.ok || tries === LOOKS || watch.stop?.aborted) return sample;
    await pause(EVERY_MS * tries, watch.stop);
  }
}

async function look({ unit, image, ...watch }: Watch, isWhole: boolean) {
  const run: RunCommand = (command) => watch.run({ ...command, isRoutine: true });
  const sampled = await readUnitSample(run, unit);
  if (!sampled.ok) return sampled;
  const atMs = performance.now();
  if (!isWhole) return succeed({ atMs, unit: sampled.value, containers: null, seen: undefined });
  const listed = await seeUnitContainers(run, unit);
  if (!listed.ok) return listed;
  const seen = listed.value;
  if (image === null) {
    return succeed({
      atMs,
      unit: sampled.value,
      containers: seen,
      isBare: seen.length === 0,
      seen,
    });
  }
  const containers = seen.filter(({ imageName }) => {
    const reference = parseImageReference(imageName);
    return reference !== undefined && sameRepository(reference, image);
  });
  return succeed({ atMs, unit: sampled.value, containers, seen });
}

type Say = (part: GateVerdict['part'], failure: Failure | null, detail: string) => void;

/** `seen`: the containers of the last look, if it was at them, too. */
async function proveAtTheEnd(
  watch: Watch,
  verdict: Say,
  seen: readonly SeenContainer[] | undefined,
): Promise<Outcome<void>> {
  const { probe } = watch.policy;
  if (probe) {
    const failure = await askOnceMore(watch, probe);
    verdict('probe', failure, failure ? '' : 'It answers after the soak, too.');
    if (failure) return { ok: false, failure };
  }
  const logged = await checkLog(watch);
  if (logged) {
    verdict('log', logged.failure, logged.detail);
    if (logged.failure) return { ok: false, failure: logged.failure };
  }
  // Probe and log have taken their time.
  const isFresh = !probe && !logged;
  const running = await watch.checkImage(isFresh ? seen : undefined);
  verdict('digest', running.ok ? null : running.failure, running.ok ? running.value : '');
  return running.ok ? succeed(undefined) : running;
}

async function askOnceMore(watch: Watch, probe: Probe): Promise<Failure | null> {
  let failure = await askProbe(probe, watch.run, watch.ask);
  for (let tries = 1; failure && tries < LAST_PROBES; tries++) {
    await pause(EVERY_MS, watch.stop);
    failure = await askProbe(probe, watch.run, watch.ask);
  }
  return failure;
}

/** Null where nothing is asked of the log. */
async function checkLog({ run, unit, policy, sinceWallMs }: Watch) {
  const { logMust, logMustNot } = policy;
  if (logMust === null && logMustNot === null) return null;
  const read = await readUnitLog(run, unit, sinceWallMs);
  if (!read.ok) return { failure: read.failure, detail: '' };
  const find = (pattern: string) => {
    const expression = new RegExp(pattern, 'u');
    return read.value.find((line) => expression.test(line));
  };
  const forbidden = logMustNot === null ? undefined : find(logMustNot);
  if (forbidden !== undefined) {
    return {
      failure: fail('GATE_LOG_FORBIDDEN', `It logged: ${forbidden.slice(0, 200)}`).failure,
      detail: '',
    };
  }
  if (logMust !== null && find(logMust) === undefined) {
    const detail = `None of ${read.value.length} lines matches ${logMust}.`;
    return { failure: fail('GATE_LOG_MISSING', detail).failure, detail: '' };
  }
  return { failure: null, detail: `${read.value.length} lines were looked at.` };
}
