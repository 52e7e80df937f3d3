import type { Failure } from '../../shared/contract/outcome.ts';
import type { UpdateRecord } from '../../shared/contract/update-record.ts';
import {
  FIRST_STATE,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorInputs,
  type SupervisorState,
  stepSupervisor,
} from '../core/supervisor.ts';

/** Effects but the one that the loop must wait for. */
export type PerformedEffect = Exclude<SupervisorEffect, { kind: 'persist' | 'signal' }>;

/** What the loop works with. */
export type LoopParts = {
  readonly inputs: () => SupervisorInputs;
  /** Makes the record durable, or says why not. */
  readonly persist: (record: UpdateRecord) => Failure | undefined;
  /** Begins an effect; what comes of it is posted, now or later. */
  readonly perform: (effect: PerformedEffect) => void;
  /** Told after each event, when all its effects are begun. */
  readonly onSettled?: (state: SupervisorState) => void;
  /** Told before and after each effect: for tests that end the process there. */
  readonly observe?: (
    when: 'before' | 'after',
    effect: SupervisorEffect,
    state: SupervisorState,
  ) => void;
};

/** The one owner of the state. */
export type Loop = {
  readonly post: (event: SupervisorEvent) => void;
  readonly state: () => SupervisorState;
};

/**
 * Takes one event at a time. Its effects are begun in order once the new state is in force; events that they post wait
 * for their turn, so that none meets another half done. Where the record cannot be made durable, the effects behind it
 * are dropped and the update is told, and so is whoever waits for an answer.
 */
export function createLoop(parts: LoopParts): Loop {
  const waiting: SupervisorEvent[] = [];
  let state = FIRST_STATE;
  let isBusy = false;

  const refuse = (dropped: readonly SupervisorEffect[], failure: Failure) => {
    for (const effect of dropped) {
      if (effect.kind === 'answer') parts.perform({ ...effect, txn: null, failure });
    }
  };

  const take = (event: SupervisorEvent) => {
    const next = stepSupervisor(state, event, parts.inputs());
    state = next.state;
    for (const [index, effect] of next.effects.entries()) {
      parts.observe?.('before', effect, state);
      if (effect.kind === 'persist') {
        const failure = parts.persist(effect.record);
        if (failure) {
          refuse(next.effects.slice(index + 1), failure);
          waiting.push({ to: 'update', event: { kind: 'persist-failed', failure } });
          return;
        }
      } else if (effect.kind === 'signal') {
        waiting.push({ to: 'update', event: effect.signal });
      } else {
        parts.perform(effect);
      }
      parts.observe?.('after', effect, state);
    }
  };

  const post = (event: SupervisorEvent) => {
    waiting.push(event);
    if (isBusy) return;
    isBusy = true;
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        take(next);
        parts.onSettled?.(state);
      }
    } finally {
      isBusy = false;
    }
  };
  return { post, state: () => state };
}
