import type { Effect } from './effect.ts';
import type { Event } from './event.ts';
import type { Policy } from './restart-policy.ts';
import { type Standby, type StandbyEffect, type StandbyEvent, stepStandby } from './standby.ts';
import { INITIAL_STATE, type State } from './state.ts';
import { step } from './step.ts';
import type { UpdateContext, UpdateEffect, UpdateEvent, UpdateMachine } from './update/machine.ts';
import { NO_MEMORY } from './update/outcome.ts';
import { type Found, recover } from './update/recover.ts';
import { stepUpdate } from './update/step-update.ts';

/** The whole supervisor: the worker, the update, and who stands in for the worker. Plain data. */
export type SupervisorState = {
  readonly worker: State;
  readonly update: UpdateMachine;
  readonly standby: Standby;
};

/** Everything that can happen. */
export type SupervisorEvent =
  | { readonly to: 'worker'; readonly event: Event }
  | { readonly to: 'update'; readonly event: UpdateEvent }
  | { readonly to: 'standby'; readonly event: StandbyEvent }
  /** The first event of all: what was found on the disk. */
  | { readonly to: 'boot'; readonly found: Found };

export type SupervisorEffect = Effect | UpdateEffect | StandbyEffect;

/** What a step may know besides state and event. */
export type SupervisorInputs = Omit<UpdateContext, 'worker' | 'rules'> & {
  readonly policy: Policy;
  readonly rules: UpdateContext['rules'];
};

export type SupervisorStep = {
  readonly state: SupervisorState;
  readonly effects: readonly SupervisorEffect[];
};

/** Where every supervisor begins. */
export const FIRST_STATE: SupervisorState = {
  worker: INITIAL_STATE,
  update: {
    memory: NO_MEMORY,
    unavailable: null,
    self: 'from',
    isStopping: false,
    work: { kind: 'none' },
  },
  standby: { phase: 'off' },
};

/** Decides what follows an event, for the part that it is meant for and then for the standby. */
export function stepSupervisor(
  state: SupervisorState,
  event: SupervisorEvent,
  inputs: SupervisorInputs,
): SupervisorStep {
  const moved = move(state, event, inputs);
  const standby = stepStandby(
    moved.state.standby,
    moved.state.worker,
    event.to === 'standby' ? event.event : undefined,
  );
  return {
    state: { ...moved.state, standby: standby.standby },
    // First, for a record that cannot be written drops what stands behind it.
    effects: [...standby.effects, ...moved.effects],
  };
}

function move(
  state: SupervisorState,
  event: SupervisorEvent,
  inputs: SupervisorInputs,
): SupervisorStep {
  const context = { ...inputs, worker: describeWorker(state.worker) };
  switch (event.to) {
    case 'boot': {
      const { machine, effects } = recover(event.found, context);
      return { state: { ...state, update: machine }, effects };
    }
    case 'worker': {
      const next = step(state.worker, event.event, inputs, inputs.policy);
      return { state: { ...state, worker: next.state }, effects: next.effects };
    }
    case 'update': {
      const { machine, effects } = stepUpdate(state.update, event.event, context);
      return { state: { ...state, update: machine }, effects };
    }
    case 'standby':
      return { state, effects: [] };
  }
}

function describeWorker(worker: State): UpdateContext['worker'] {
  if (worker.phase === 'running') return 'serving';
  return worker.phase === 'suspended' ? 'none' : 'down';
}
