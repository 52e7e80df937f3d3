import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ContainerHealth,
  type ContainerSample,
  type GateRules,
  type GateSample,
  type GateState,
  onProbe,
  openGate,
  stepGate,
  type UnitSample,
} from '../../../app/domain/gate.ts';
import { fail } from '../../../shared/contract/outcome.ts';

const RULES: GateRules = { startTimeoutMs: 1_000, soakMs: 500, hasProbe: false };
const PROBED: GateRules = { ...RULES, hasProbe: true };
const REFUSED = fail('GATE_PROBE_FAILED', 'ECONNREFUSED.').failure;

const BOOTING = { activeState: 'activating', subState: 'start' };
const FAILED = { activeState: 'failed', subState: 'failed', result: 'exit-code' };
const STOPPED = { activeState: 'inactive', subState: 'dead' };

function container(over: Partial<ContainerSample> = {}): ContainerSample {
  return { id: 'c1', running: true, health: 'none', ...over };
}

/** One container with that health. */
function health(of: ContainerHealth): GateSample['containers'] {
  return [container({ health: of })];
}

/** A unit that is up, as `over` changes it. */
function sample(
  atMs: number,
  over: Partial<UnitSample> = {},
  containers: GateSample['containers'] = [container()],
): GateSample {
  const unit = {
    ...{ activeState: 'active', subState: 'running', result: 'success' },
    ...{ mainPid: 10, restarts: 0 },
  };
  return { atMs, unit: { ...unit, ...over }, containers };
}

/** The state after these samples, each of which must lead on; the gate is opened at 0. */
function after(rules: GateRules, ...samples: readonly GateSample[]): GateState {
  return samples.reduce((state, one) => {
    const step = stepGate(state, one, rules);
    assert.ok(step.kind === 'wait' || step.kind === 'probe', JSON.stringify(step));
    return step.state;
  }, openGate(0));
}

/** How a look at the unit ends: the code of the failure, or what follows and the phase that is next. */
function outcomeOf(rules: GateRules, state: GateState, one: GateSample): string {
  const step = stepGate(state, one, rules);
  if (step.kind === 'failed') return step.failure.code;
  return step.kind === 'soaked' ? 'soaked' : `${step.kind}, ${step.state.phase}`;
}

type Row = readonly [title: string, samples: readonly GateSample[], expected: string];

/** Runs the last sample of each row after the ones before it. */
function checkRows(rules: GateRules, rows: readonly Row[]): void {
  for (const [title, samples, expected] of rows)
    test(`${title}: ${expected}`, () => {
      const last = samples.at(-1);
      assert.ok(last);
      assert.equal(outcomeOf(rules, after(rules, ...samples.slice(0, -1)), last), expected);
    });
}

describe('a unit that is to come up', () => {
  const half = [container(), container({ id: 'c2', running: false })];
  checkRows(RULES, [
    ['it is up at the first look', [sample(1)], 'wait, soaking'],
    ['it has failed at the first look', [sample(0, FAILED)], 'GATE_UNIT_DOWN'],
    ['it is stopped at the first look', [sample(0, STOPPED)], 'GATE_UNIT_DOWN'],
    ['it still starts', [sample(999, BOOTING)], 'wait, starting'],
    ['it still starts at the end of its time', [sample(1_000, BOOTING)], 'GATE_UNIT_DOWN'],
    ['it fails after a while', [sample(1, BOOTING), sample(2, FAILED)], 'GATE_UNIT_DOWN'],
    ['it comes up after a while', [sample(1, BOOTING), sample(2)], 'wait, soaking'],
    [
      'it is up at the very end of its time',
      [sample(999, BOOTING), sample(1_000)],
      'wait, soaking',
    ],
    ['it reloads', [sample(1, { activeState: 'reloading' })], 'wait, starting'],
    ['nobody asked podman', [sample(999, {}, null)], 'wait, starting'],
    ['nobody asked podman in time', [sample(1_000, {}, null)], 'CONTAINER_NOT_RUNNING'],
    ['it has no container yet', [sample(999, {}, [])], 'wait, starting'],
    ['it never gets a container', [sample(1_000, {}, [])], 'CONTAINER_NOT_RUNNING'],
    ['it needs no container', [{ ...sample(1, {}, []), isBare: true }], 'wait, soaking'],
    ['one container of two runs', [sample(999, {}, half)], 'wait, starting'],
    ['one of two never runs', [sample(1_000, {}, half)], 'CONTAINER_NOT_RUNNING'],
  ]);

  test('that is down is told with its states, however long its job took', () => {
    const step = stepGate(openGate(0), sample(9_999, FAILED), RULES);
    const detail = 'It is failed (failed), result exit-code.';
    assert.deepEqual(step, { kind: 'failed', failure: { code: 'GATE_UNIT_DOWN', detail } });
  });

  test('whose containers do not run is told how many do', () => {
    const step = stepGate(openGate(0), sample(1_000, {}, half), RULES);
    assert.ok(step.kind === 'failed');
    assert.equal(step.failure.detail, '1 of 2 run.');
  });

  test('has its time from when the gate was opened', () => {
    const state = openGate(5_000);
    assert.equal(outcomeOf(RULES, state, sample(5_999, BOOTING)), 'wait, starting');
    assert.equal(outcomeOf(RULES, state, sample(6_000, BOOTING)), 'GATE_UNIT_DOWN');
  });
});

describe('its health while it comes up', () => {
  const mixed = [container({ health: 'healthy' }), container({ id: 'c2', health: 'starting' })];
  checkRows(RULES, [
    ['healthy', [sample(1, {}, health('healthy'))], 'wait, soaking'],
    ['not known yet', [sample(999, {}, health('starting'))], 'wait, starting'],
    ['not known in time', [sample(1_000, {}, health('starting'))], 'GATE_UNHEALTHY'],
    ['unhealthy, long before the end', [sample(1, {}, health('unhealthy'))], 'GATE_UNHEALTHY'],
    [
      'first not known, then healthy',
      [sample(1, {}, health('starting')), sample(2, {}, health('healthy'))],
      'wait, soaking',
    ],
    [
      'first not known, then unhealthy',
      [sample(1, {}, health('starting')), sample(2, {}, health('unhealthy'))],
      'GATE_UNHEALTHY',
    ],
    ['known of one of two containers', [sample(1, {}, mixed)], 'wait, starting'],
    [
      'unhealthy, but the unit is not up yet',
      [sample(1, BOOTING, health('unhealthy'))],
      'wait, starting',
    ],
  ]);

  test('is told with the short id of the container', () => {
    const sick = [container({ id: 'f'.repeat(64), health: 'unhealthy' })];
    const step = stepGate(openGate(0), sample(1, {}, sick), RULES);
    assert.ok(step.kind === 'failed');
    assert.equal(step.failure.detail, `Container ${'f'.repeat(12)} is unhealthy.`);
  });
});

describe('the restarts by systemd', () => {
  const again = { restarts: 4 };
  checkRows(RULES, [
    ['before the first look do not count', [sample(1, again)], 'wait, soaking'],
    [
      'before it comes up',
      [sample(1, { ...BOOTING, restarts: 3 }), sample(2, again)],
      'GATE_UNIT_RESTARTED',
    ],
    [
      'while it still starts, at once',
      [sample(1, { ...BOOTING, restarts: 3 }), sample(2, { ...BOOTING, ...again })],
      'GATE_UNIT_RESTARTED',
    ],
    [
      'came before it failed for good',
      [
        ...[sample(1, { ...BOOTING, restarts: 3 }), sample(2, { ...BOOTING, restarts: 3 })],
        sample(3, { ...FAILED, ...again }),
      ],
      'GATE_UNIT_RESTARTED',
    ],
    ['are none', [sample(1, { ...BOOTING, ...again }), sample(2, again)], 'wait, soaking'],
    ['while it soaks', [sample(1, { restarts: 3 }), sample(2, again)], 'GATE_UNIT_RESTARTED'],
    ['counted anew while it soaks', [sample(1, again), sample(2)], 'GATE_UNIT_RESTARTED'],
  ]);
});

describe('a unit that soaks', () => {
  const up = sample(100);
  const other = container({ id: 'c2' });
  checkRows(RULES, [
    ['it goes on', [up, sample(599)], 'wait, soaking'],
    ['it went on for its time', [up, sample(599), sample(600)], 'soaked'],
    ['nobody looked for longer', [up, sample(9_999)], 'soaked'],
    ['it went on, and nobody asked podman', [up, sample(600, {}, null)], 'soaked'],
    ['it has another main process', [up, sample(600, { mainPid: 11 })], 'GATE_UNIT_RESTARTED'],
    ['the same without podman', [up, sample(2, { mainPid: 11 }, null)], 'GATE_UNIT_RESTARTED'],
    ['it is down', [up, sample(600, FAILED)], 'GATE_UNIT_DOWN'],
    ['it is stopped', [up, sample(101, STOPPED)], 'GATE_UNIT_DOWN'],
    ['it starts again', [up, sample(101, BOOTING)], 'GATE_UNIT_DOWN'],
    ['its container was replaced', [up, sample(600, {}, [other])], 'GATE_UNIT_RESTARTED'],
    ['another one joined it', [up, sample(101, {}, [container(), other])], 'GATE_UNIT_RESTARTED'],
    ['its container is gone', [up, sample(101, {}, [])], 'GATE_UNIT_RESTARTED'],
    [
      'its container stands still',
      [up, sample(101, {}, [container({ running: false })])],
      'GATE_UNIT_RESTARTED',
    ],
    [
      'a dead one lies beside it',
      [up, sample(101, {}, [container(), { ...other, running: false }])],
      'wait, soaking',
    ],
    ['it turns unhealthy', [up, sample(600, {}, health('unhealthy'))], 'GATE_UNHEALTHY'],
    [
      'it says nothing of its health now',
      [up, sample(101, {}, health('starting'))],
      'wait, soaking',
    ],
    [
      'podman lists its containers in another order',
      [sample(100, {}, [container(), other]), sample(101, {}, [other, container()])],
      'wait, soaking',
    ],
    ['it came up late', [sample(999, BOOTING), sample(1_000), sample(1_499)], 'wait, soaking'],
    ['and its time begins then', [sample(999, BOOTING), sample(1_000), sample(1_500)], 'soaked'],
  ]);

  test('for no time at all is soaked as soon as it is up', () => {
    const rules = { ...RULES, soakMs: 0 };
    assert.equal(outcomeOf(rules, after(rules, sample(1, BOOTING)), up), 'soaked');
    assert.equal(outcomeOf(rules, openGate(0), sample(1, FAILED)), 'GATE_UNIT_DOWN');
  });
});

describe('a unit with a probe', () => {
  /** It is up since 100, and its probe is to be asked. */
  function probing(...samples: readonly GateSample[]) {
    const state = after(PROBED, ...(samples.length > 0 ? samples : [sample(100)]));
    assert.ok(state.phase === 'probing');
    return state;
  }

  checkRows(PROBED, [
    ['is asked once it is up', [sample(1)], 'probe, probing'],
    ['is not asked before', [sample(1, BOOTING)], 'wait, starting'],
    ['is asked again', [sample(1), sample(2)], 'probe, probing'],
    ['has failed in between', [sample(1), sample(2, FAILED)], 'GATE_UNIT_DOWN'],
    ['was restarted in between', [sample(1), sample(2, { restarts: 1 })], 'GATE_UNIT_RESTARTED'],
    ['is not up any more', [sample(1), sample(2, BOOTING)], 'wait, starting'],
    ['is not up at the end', [sample(1), sample(1_000, BOOTING)], 'GATE_UNIT_DOWN'],
    [
      'was restarted while it was not up',
      [sample(1), sample(2, BOOTING), sample(3, { restarts: 1 })],
      'GATE_UNIT_RESTARTED',
    ],
  ]);

  test('is asked again until its time is over, then fails with what the probe said', () => {
    const state = probing();
    assert.deepEqual(onProbe(state, REFUSED, 999, PROBED), { kind: 'wait', state });
    const end = { kind: 'failed', failure: REFUSED };
    assert.deepEqual(onProbe(state, REFUSED, 1_000, PROBED), end);
  });

  test('that was not up in between has no more time for it', () => {
    const state = probing(sample(100), sample(200, BOOTING), sample(300));
    assert.equal(onProbe(state, REFUSED, 999, PROBED).kind, 'wait');
    assert.equal(onProbe(state, REFUSED, 1_000, PROBED).kind, 'failed');
  });

  test('soaks from when the probe was content, even after its time', () => {
    const step = onProbe(probing(), null, 1_200, PROBED);
    assert.ok(step.kind === 'wait');
    assert.equal(outcomeOf(PROBED, step.state, sample(1_699)), 'wait, soaking');
    assert.equal(outcomeOf(PROBED, step.state, sample(1_700)), 'soaked');
  });

  test('that need not soak is proven by its probe', () => {
    const rules = { ...PROBED, soakMs: 0 };
    assert.equal(outcomeOf(rules, openGate(0), sample(1)), 'probe, probing');
    assert.deepEqual(onProbe(probing(), null, 200, rules), { kind: 'soaked' });
  });

  test('is compared with the look before the question', () => {
    const step = onProbe(probing(sample(1), sample(2, { mainPid: 11 })), null, 3, PROBED);
    assert.ok(step.kind === 'wait');
    assert.equal(outcomeOf(PROBED, step.state, sample(4)), 'GATE_UNIT_RESTARTED');
    assert.equal(outcomeOf(PROBED, step.state, sample(4, { mainPid: 11 })), 'wait, soaking');
  });
});
