import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ContainerSample,
  type GateRules,
  type GateSample,
  onProbe,
  openGate,
  stepGate,
} from '../../../app/domain/gate.ts';
import { fail } from '../../../shared/contract/outcome.ts';

/** What happens to a unit between two looks at it. `sick`, `down` and the like last for one look, the others stay. */
const CHANGES = [
  ...['restart', 'new pid', 'new container', 'down', 'starting'],
  ...['no containers', 'sick', 'half', 'not asked'],
] as const;
type Change = (typeof CHANGES)[number] | 'nothing';
type Tick = { readonly change: Change; readonly ms: number; readonly isContent: boolean };

const ticks: fc.Arbitrary<Tick> = fc.record({
  change: fc.oneof(
    { weight: 12, arbitrary: fc.constant('nothing' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...CHANGES) },
  ),
  ms: fc.nat(300),
  isContent: fc.boolean(),
});
const rules: fc.Arbitrary<GateRules> = fc.record({
  startTimeoutMs: fc.integer({ min: 1_000, max: 3_000 }),
  soakMs: fc.nat(1_000),
  hasProbe: fc.boolean(),
});

/** The samples that somebody would see of a unit to which that happens. */
function observe(happened: readonly Tick[]): GateSample[] {
  let atMs = 0;
  const kept = { mainPid: 10, restarts: 0, id: 'c1' };
  return happened.map(({ change, ms }, index) => {
    atMs += ms;
    if (change === 'restart') kept.restarts++;
    if (change === 'new pid') kept.mainPid++;
    if (change === 'new container') kept.id = `c${index + 2}`;
    const { mainPid, restarts, id } = kept;
    const activeState = STATES[change] ?? 'active';
    const unit = { activeState, subState: 'any', result: 'success', mainPid, restarts };
    return { atMs, unit, containers: observeContainers(change, id) };
  });
}

const STATES: Partial<Record<Change, string>> = { down: 'failed', starting: 'activating' };

function observeContainers(change: Change, id: string): readonly ContainerSample[] | null {
  if (change === 'not asked') return null;
  if (change === 'no containers') return [];
  return [{ id, running: change !== 'half', health: change === 'sick' ? 'unhealthy' : 'healthy' }];
}

/** How many milliseconds before the last sample the unit was first seen just as it is in the last one. */
function unchangedFor(samples: readonly GateSample[], happened: readonly Tick[]): number {
  const last = samples.length - 1;
  const steady: readonly Change[] = ['nothing', 'not asked'];
  const changed = happened.findLastIndex(
    ({ change }, index) => index <= last && !steady.includes(change),
  );
  // A change that stays is the first look at what is there now; another is over with the next look.
  const stays: readonly (Change | undefined)[] = ['restart', 'new pid', 'new container'];
  const first = stays.includes(happened[changed]?.change) ? changed : changed + 1;
  return (samples.at(-1)?.atMs ?? 0) - (samples[first]?.atMs ?? Number.POSITIVE_INFINITY);
}

/** Watches until the gate says how it ends; the samples that it saw, and whether the probe was content at some time. */
function watch(happened: readonly Tick[], rule: GateRules) {
  let state = openGate(0);
  let wasContent = false;
  const samples = observe(happened);
  for (const [index, sample] of samples.entries()) {
    let step = stepGate(state, sample, rule);
    if (step.kind === 'probe') {
      const isContent = happened[index]?.isContent === true;
      wasContent ||= isContent;
      const failure = isContent ? null : fail('GATE_PROBE_FAILED', 'x').failure;
      step = onProbe(step.state, failure, sample.atMs, rule);
    }
    if (step.kind !== 'wait') return { step, wasContent, seen: samples.slice(0, index + 1) };
    state = step.state;
  }
  return undefined;
}

test('whatever happens to a unit, it soaks only where nothing changed for its time', () => {
  let soaked = 0;
  fc.assert(
    fc.property(fc.array(ticks, { maxLength: 40, size: 'max' }), rules, (happened, rule) => {
      const end = watch(happened, rule);
      if (end?.step.kind !== 'soaked') return;
      soaked++;
      const { seen, wasContent } = end;
      const forMs = unchangedFor(seen, happened);
      assert.ok(forMs >= rule.soakMs, `unchanged for ${forMs} of ${rule.soakMs} ms`);
      assert.ok(wasContent || !rule.hasProbe, 'its probe was never content');
    }),
    { numRuns: 2_000 },
  );
  assert.ok(soaked > 200, `only ${soaked} were soaked`);
});

test('where nothing ever happens, every unit soaks', () => {
  fc.assert(
    fc.property(rules, (rule) => {
      const quiet = Array<Tick>(20).fill({ change: 'nothing', ms: 300, isContent: true });
      assert.equal(watch(quiet, rule)?.step.kind, 'soaked');
    }),
  );
});
