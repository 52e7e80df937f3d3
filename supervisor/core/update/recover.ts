import { type Failure, fail } from '../../../shared/contract/outcome.ts';
import type { UpdateRecord } from '../../../shared/contract/update-record.ts';
import type {
  Doing,
  Memory,
  Open,
  UpdateContext,
  UpdateEffect,
  UpdateMachine,
  UpdateStep,
} from './machine.ts';
import {
  abort,
  become,
  goBack,
  goOn,
  pause,
  persist,
  pollWhileHeld,
  stage,
  supersede,
  tryOut,
} from './moves.ts';
import { remember } from './outcome.ts';
import { closing } from './persisting.ts';
import { advance, doing, takeUpAgain } from './record-moves.ts';

/** What a starting supervisor finds. */
export type Found = {
  /** The open update; null where there is none that this program may touch. */
  readonly record: UpdateRecord | null;
  readonly memory: Memory;
  readonly unavailable: Failure | null;
  /** Which file it was started as. `elsewhere`: it cannot be updated. */
  readonly slot: 'target' | 'old' | 'elsewhere';
  /** SHA-256 of what lies at the target; null where that was not needed, or nothing lies there. */
  readonly targetDigest: string | null;
};

/**
 * What a supervisor does first, whatever killed the one before it, by the record and by what lies on the disk. Every
 * act may have been done already, in part or not at all.
 */
export function recover(found: Found, context: UpdateContext): UpdateStep {
  const { record, unavailable } = found;
  const memory = rememberHeld(found, context);
  const machine: UpdateMachine = {
    memory,
    unavailable,
    self: 'from',
    isStopping: false,
    work: { kind: 'none' },
  };
  const serve: UpdateEffect = { kind: 'resume-worker', trial: false };
  if (!record) return { machine, effects: [serve] };
  const open = reopen(record, 'closing');
  const self = { ...machine, self: tellSelf(record, found) };
  switch (record.state) {
    case 'requested':
    case 'staging':
      return withWorker(stageAgain(self, open, context), record);
    case 'staged':
    case 'quiescing':
    case 'backing-up':
      return withWorker(pauseAgain(self, open, context), record);
    case 'switching': {
      const next = doing(open, 'switching');
      return become(self, next, [
        { kind: 'suspend-worker' },
        ...supersede(self, record),
        { kind: 'switch-program', record },
      ]);
    }
    case 'trial':
      return tryAgain(self, open, INTERRUPTED, context);
    case 'handing-over':
      return recoverHandOver(self, open, context);
    case 'rolling-back': {
      const next = doing(open, 'restoring-program');
      return become(self, next, [{ kind: 'suspend-worker' }, { kind: 'restore-program', record }]);
    }
    case 'committing':
    case 'rolled-back':
    case 'aborting':
      return become(self, open, closing(self, open, context));
    case 'held': {
      const next = doing(open, 'held');
      return become(self, next, [{ kind: 'suspend-worker' }, pollWhileHeld(context)]);
    }
  }
}

/** What the held update is to blame for whose place this one is to take. */
function rememberHeld({ record, memory }: Found, { wallMs }: UpdateContext): Memory {
  return record?.over ? remember(memory, takeUpAgain(record.over), 'superseded', wallMs) : memory;
}

const INTERRUPTED = fail('UPDATE_START_FAILED', 'Each try was cut off.').failure;
const NOT_UP = fail('UPDATE_SUPERVISOR_FAILED', 'The launcher fell back to the old one.').failure;
const ABANDONED = fail('UPDATE_STAGING_FAILED', 'It was cut off too often.').failure;

function reopen(record: UpdateRecord, what: Exclude<Doing['what'], 'soaking'>): Open {
  return { kind: 'open', record, doing: { what }, sinceMs: null, progress: null, isUnsaved: false };
}

/** Which of the two programs this process is. Before the exchange both names are the old one's. */
function tellSelf({ state, to }: UpdateRecord, { slot, targetDigest }: Found): 'from' | 'to' {
  if (slot !== 'target' || !to) return 'from';
  if (state === 'trial' || state === 'handing-over' || state === 'committing') return 'to';
  // The exchange, there or back, may be done or not: what lies at the target is what was started.
  if (state === 'switching' || state === 'rolling-back') {
    return targetDigest === to.digest ? 'to' : 'from';
  }
  return 'from';
}

/** The old program serves while the update goes on. */
function withWorker(next: UpdateStep, record: UpdateRecord): UpdateStep {
  return { ...next, effects: [...goOn(record), ...next.effects] };
}

function stageAgain(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  return open.record.stagingLeft > 0
    ? stage(machine, open, context)
    : abort(machine, open, { outcome: 'failed', failure: ABANDONED }, context);
}

/** The worker ran again meanwhile, so what was backed up is old: from the pause on once more. */
function pauseAgain(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const { stagingLeft } = open.record;
  if (stagingLeft <= 0) {
    return abort(machine, open, { outcome: 'failed', failure: ABANDONED }, context);
  }
  const staged = advance(open, 'staged', { stagingLeft: stagingLeft - 1 }, context);
  if (open.record.database.wanted || open.record.kind === 'rollback') {
    const next = doing(staged, 'inspecting');
    return become(machine, next, persist(next, { kind: 'inspect-staged' }));
  }
  // It is being started in this very moment, or there is to be none.
  const worker = staged.record.over ? 'none' : 'serving';
  const paused = pause(machine, staged, { ...context, worker });
  return { machine: paused.machine, effects: [...persist(staged), ...paused.effects] };
}

function tryAgain(
  machine: UpdateMachine,
  open: Open,
  otherwise: Failure,
  context: UpdateContext,
): UpdateStep {
  const { triesLeft, state } = open.record;
  return triesLeft > 0
    ? tryOut(machine, open, state === 'handing-over' ? 'handing-over' : 'trial', context)
    : goBack(machine, open, otherwise, context);
}

function recoverHandOver(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  if (machine.self === 'to') return tryAgain(machine, open, INTERRUPTED, context);
  // A power cut says nothing about the new supervisor; falling back without one says all.
  const { bootId, handOversLeft } = open.record;
  return bootId !== context.bootId && handOversLeft > 0
    ? tryOut(machine, open, 'trial', context)
    : goBack(machine, open, NOT_UP, context);
}
