import { assertNever, report } from '../moves.ts';
import {
  whileExecutingOld,
  whileHeld,
  whileRestarting,
  whileRestoringProgram,
  whileSettlingDatabase,
} from './back.ts';
import {
  whileBackingUp,
  whileChecking,
  whileExecuting,
  whileInspecting,
  whilePausing,
  whileStaging,
  whileStarting,
  whileSuspending,
  whileSwitching,
} from './forward.ts';
import type { Open, UpdateContext, UpdateEvent, UpdateMachine, UpdateStep } from './machine.ts';
import { become, ignore, persist } from './moves.ts';
import { onPersistFailed, tryToSave, whileClosing } from './persisting.ts';
import { advance, HAND_OVER_TRIES, TRIAL_TRIES } from './record-moves.ts';
import { onRequest, whileIdentifying } from './requests.ts';
import { whileSoaking } from './soak.ts';

/**
 * Decides what follows an event for the update. Total: an event that means nothing in a state leaves it as it was. The
 * record that a returned machine holds is in force only once its `persist` has succeeded.
 */
export function stepUpdate(
  machine: UpdateMachine,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  // What is under way may still end, but nothing follows: the next start goes on from the record.
  if (machine.isStopping && event.kind !== 'request') return ignore(machine);
  switch (event.kind) {
    case 'stop':
      return onStop(machine, context);
    case 'request':
      return onRequest(machine, event.request, context);
    case 'policy-saved':
      return ignore({ ...machine, memory: { ...machine.memory, policy: event.policy } });
    default:
      return onWork(machine, event, context);
  }
}

function onWork(machine: UpdateMachine, event: UpdateEvent, context: UpdateContext): UpdateStep {
  const { work } = machine;
  switch (work.kind) {
    case 'none':
      return ignore(machine);
    case 'identifying':
      return whileIdentifying(machine, work, event, context);
    case 'open':
      if (event.kind === 'persist-failed') {
        return onPersistFailed(machine, work, event.failure, context);
      }
      return work.isUnsaved
        ? tryToSave(machine, work, event, context)
        : whileOpen(machine, work, event, context);
    default:
      return assertNever(work);
  }
}

function whileOpen(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  const isBack = open.record.state === 'rolling-back';
  const { doing } = open;
  switch (doing.what) {
    case 'staging':
      return whileStaging(machine, open, event, context);
    case 'inspecting':
      return whileInspecting(machine, open, event, context);
    case 'pausing':
      return whilePausing(machine, open, event, context);
    case 'suspending':
      return whileSuspending(machine, open, event, context);
    case 'backing-up':
      return whileBackingUp(machine, open, event, context);
    case 'switching':
    case 'restoring-wanted':
      return whileSwitching(machine, open, event, context);
    case 'starting':
      return isBack
        ? whileRestarting(machine, open, event, context)
        : whileStarting(machine, open, event, context);
    case 'soaking':
      return whileSoaking(machine, open, doing, event, context);
    case 'checking':
      return whileChecking(machine, open, event, context);
    case 'executing':
      return isBack
        ? whileExecutingOld(machine, open, event, context)
        : whileExecuting(machine, open, event, context);
    case 'restoring-program':
      return whileRestoringProgram(machine, open, event, context);
    case 'settling-database':
      return whileSettlingDatabase(machine, open, event, context);
    case 'closing':
      return whileClosing(machine, open, event, context);
    case 'held':
      return whileHeld(machine, open, event, context);
    default:
      return assertNever(doing);
  }
}

/** The service is stopped: a trial that proved nothing costs no try. */
function onStop(machine: UpdateMachine, context: UpdateContext): UpdateStep {
  const { work } = machine;
  const stopped = { ...machine, isStopping: true };
  if (work.kind !== 'open') return ignore(stopped);
  if (isOnTrial(work)) return giveTryBack(machine, work, context);
  return become(stopped, work, [
    { kind: 'cancel-act' },
    report('info', 'self-update goes on at the next start', { state: work.record.state }),
  ]);
}

/** Whether a stop now takes back the try that was counted: nothing was proven against the program. */
function isOnTrial({ record }: Open): boolean {
  return record.state === 'trial' || record.state === 'handing-over';
}

/** A stop in the middle of a trial: it is begun anew at the next start, with the try given back. */
function giveTryBack(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const { triesLeft, handOversLeft } = open.record;
  const wasHandingOver = open.record.state === 'handing-over';
  const changes = {
    triesLeft: wasHandingOver ? TRIAL_TRIES : Math.min(triesLeft + 1, TRIAL_TRIES),
    handOversLeft: Math.min(handOversLeft + (wasHandingOver ? 1 : 0), HAND_OVER_TRIES),
  };
  const next = advance(open, 'trial', changes, context);
  return become({ ...machine, isStopping: true }, next, persist(next));
}
