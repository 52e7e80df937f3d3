import type { Failure } from '../../../shared/contract/outcome.ts';
import type { UpdateOutcome } from '../../../shared/contract/update-history.ts';
import { report } from '../moves.ts';
import type {
  Open,
  UpdateContext,
  UpdateEffect,
  UpdateEvent,
  UpdateMachine,
  UpdateStep,
} from './machine.ts';
import { become, close, goOn, ignore, persist, pollWhileHeld } from './moves.ts';
import { doing, heldAgain, takeUpAgain } from './record-moves.ts';

/** A disk that refused a write is asked again after this time. */
const RETRY_MS = 10_000;

const RETRY: UpdateEffect = { kind: 'set-update-timer', timer: 'retry', afterMs: RETRY_MS };

/**
 * The record could not be made durable, so what stood behind it was not done. Before the exchange the update is given
 * up. Behind it the way back goes on without the record as long as a crash could not do harm; all else waits for the
 * disk.
 */
export function onPersistFailed(
  machine: UpdateMachine,
  open: Open,
  failure: Failure,
  context: UpdateContext,
): UpdateStep {
  const { record } = open;
  const warn = report('error', 'self-update: the record cannot be written', {
    state: record.state,
    detail: failure.detail,
  });
  const wait = (...meanwhile: readonly UpdateEffect[]): UpdateStep =>
    become(machine, { ...open, isUnsaved: true }, [warn, ...meanwhile, RETRY]);
  switch (record.state) {
    case 'requested':
    case 'staging':
    case 'staged':
    case 'quiescing':
    case 'backing-up':
    case 'switching':
      return giveUp(machine, open, failure, warn);
    case 'trial': {
      const back = { ...record, state: 'rolling-back', failure } as const;
      return become(machine, doing({ ...open, record: back }, 'suspending'), [
        warn,
        { kind: 'suspend-worker' },
      ]);
    }
    case 'rolling-back':
      return mayGoOn(open)
        ? become(machine, open, [warn, ...follow(machine, open, context)])
        : wait();
    case 'held':
      return become(machine, open, [warn, ...follow(machine, open, context)]);
    case 'aborting':
      return wait(...goOn(record));
    case 'handing-over':
    case 'committing':
    case 'rolled-back':
      return wait();
  }
}

function giveUp(
  machine: UpdateMachine,
  open: Open,
  failure: Failure,
  warn: UpdateEffect,
): UpdateStep {
  const { record } = open;
  const ended = { ...record, state: 'aborting', outcome: 'failed', failure } as const;
  const given = { ...doing({ ...open, record: ended }, 'closing'), isUnsaved: true };
  return become(machine, given, [
    warn,
    { kind: 'cancel-act' },
    { kind: 'clear-update-timer', timer: 'idle-deadline' },
    { kind: 'answer', id: record.request.id, txn: null, failure },
    ...goOn(record),
    RETRY,
  ]);
}

/** Stopping a worker and starting the old one can be repeated; not so once a database was put back. */
function mayGoOn({ record, doing: { what } }: Open): boolean {
  return what === 'suspending' || (what === 'starting' && !record.database.restored);
}

/** What stands behind the record, by what it is that follows. */
function follow(
  machine: UpdateMachine,
  open: Open,
  context: UpdateContext,
): readonly UpdateEffect[] {
  switch (open.doing.what) {
    case 'suspending':
      return [{ kind: 'suspend-worker' }];
    case 'starting':
      return [{ kind: 'resume-worker', trial: true }];
    case 'executing':
      return [{ kind: 'execute' }];
    case 'held':
      return [{ kind: 'suspend-worker' }, pollWhileHeld(context)];
    case 'closing':
      return closing(machine, open, context);
    default:
      return [];
  }
}

/** The disk may take the record now. */
export function tryToSave(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  if (event.kind !== 'update-timer' || event.timer !== 'retry') return ignore(machine);
  const saved = { ...open, isUnsaved: false };
  return become(machine, saved, persist(saved, ...follow(machine, saved, context)));
}

/** Only cleaning up is left. */
export function whileClosing(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'closed':
      return onClosed({ ...machine, memory: event.memory }, open, context);
    case 'act-failed':
      return become(machine, open, [
        report('error', 'self-update: cleaning up failed', { detail: event.failure.detail }),
        RETRY,
      ]);
    case 'update-timer':
      return event.timer === 'retry'
        ? become(machine, open, closing(machine, open, context))
        : ignore(machine);
    default:
      return ignore(machine);
  }
}

/** It is over. Where it was to take the place of a held one, that one is held again. */
function onClosed(machine: UpdateMachine, { record }: Open, context: UpdateContext): UpdateStep {
  const told = report('info', 'self-update closed', { txn: record.txn });
  if (!record.over) return become({ ...machine, self: 'from' }, { kind: 'none' }, [told]);
  return become(machine, heldAgain(takeUpAgain(record.over)), [
    told,
    { kind: 'suspend-worker' },
    pollWhileHeld(context),
  ]);
}

/** The worker as in ordinary times, and everything that ends an update. */
export function closing(
  machine: UpdateMachine,
  open: Open,
  context: UpdateContext,
): readonly UpdateEffect[] {
  const { record } = open;
  return [{ kind: 'end-trial' }, ...goOn(record), close(machine, record, outcomeOf(open), context)];
}

/** How an update ends, by the state that it is in. */
function outcomeOf({ record }: Open): UpdateOutcome {
  if (record.state === 'committing') return 'committed';
  if (record.state === 'rolled-back') return 'rolled-back';
  return record.outcome ?? 'failed';
}
