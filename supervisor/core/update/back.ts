import { fail } from '../../../shared/contract/outcome.ts';
import { findStranger, onOldDeath } from './deaths.ts';
import type { Open, UpdateContext, UpdateEvent, UpdateMachine, UpdateStep } from './machine.ts';
import { become, hold, ignore, persist, pollWhileHeld, startOld } from './moves.ts';
import { advance, doing } from './record-moves.ts';
import { heldRequest, onRequest, tryAgain } from './requests.ts';
import { beginSoak } from './soak-plan.ts';

/** `rolling-back`: the old program file is put back. */
export function whileRestoringProgram(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'program-restored': {
      const { newVersionStarted, wanted, restored } = open.record.database;
      // Once the old program ran again, another look at the database could only take away what it wrote.
      const isSettled = restored || open.record.rollbackAttempts > 0;
      if (isSettled || !(newVersionStarted || wanted)) return becomeOld(machine, open, context);
      return become(machine, doing(open, 'settling-database'), [
        { kind: 'settle-database', record: open.record },
      ]);
    }
    case 'act-failed':
      return hold(machine, open, event.failure, context);
    default:
      return ignore(machine);
  }
}

/** `rolling-back`: the database is put back where the old program could not run on what the new one left. */
export function whileSettlingDatabase(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'database-settled': {
      if (!event.restored) return becomeOld(machine, open, context);
      // Durable before the old program may write: a second time would take away what it wrote.
      const database = { ...open.record.database, restored: true };
      return becomeOld(machine, { ...open, record: { ...open.record, database } }, context);
    }
    case 'act-failed':
      return hold(machine, open, event.failure, context);
    default:
      return ignore(machine);
  }
}

/** Files are as they were. Where this supervisor is the new program, it too goes back. */
function becomeOld(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  if (machine.self === 'from') return startOld(machine, open, context);
  const next = doing(advance(open, 'rolling-back', {}, context), 'executing');
  return become(machine, next, persist(next, { kind: 'execute' }));
}

/** `rolling-back`: this process is to become the old program again. Only a failure comes back. */
export function whileExecutingOld(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'act-failed':
    case 'hand-over-impossible':
      // The new supervisor over the old worker serves; the next start of the service begins with the old one.
      return startOld({ ...machine, self: 'from' }, open, context);
    default:
      return ignore(machine);
  }
}

/** `rolling-back`: the old worker is started. */
export function whileRestarting(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'worker-up': {
      const { readiness } = event;
      // A program from before the first update does not name its digest.
      const digest = readiness.digest ?? open.record.from.digest;
      const stranger = findStranger({ ...readiness, digest }, open.record.from);
      if (!stranger) return beginSoak(machine, open, context);
      const { failure } = fail('UPDATE_ROLLBACK_FAILED', stranger.detail);
      return hold(machine, open, failure, context);
    }
    case 'worker-failed':
      return onOldDeath(machine, open, event, context);
    default:
      return ignore(machine);
  }
}

/** `held`: looks for another release from time to time, and waits for a person. */
export function whileHeld(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'update-timer':
      return event.timer === 'held-poll'
        ? { machine, effects: [{ kind: 'look-for-release' }] }
        : ignore(machine);
    case 'looked': {
      const asked = event.found
        ? onRequest(machine, heldRequest(context), context)
        : ignore(machine);
      const isStill = asked.machine.work.kind === 'open';
      return isStill ? { ...asked, effects: [...asked.effects, pollWhileHeld(context)] } : asked;
    }
    case 'act-failed':
      return { machine, effects: [pollWhileHeld(context)] };
    case 'reload':
      return tryAgain(machine, open, context);
    default:
      return ignore(machine);
  }
}
