import { fail } from '../../../shared/contract/outcome.ts';
import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import { findStranger, onTrialDeath } from './deaths.ts';
import type { Open, UpdateContext, UpdateEvent, UpdateMachine, UpdateStep } from './machine.ts';
import {
  abort,
  become,
  commit,
  goBack,
  handOver,
  ignore,
  pause,
  persist,
  quiesce,
  stage,
  supersede,
  tryOut,
} from './moves.ts';
import { advance, doing } from './record-moves.ts';
import { beginSoak } from './soak-plan.ts';

/** `staging`: the stager works. */
export function whileStaging(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'staging-progress': {
      const { step, bytes, total } = event;
      return become(machine, { ...open, progress: { step, bytes, total } }, []);
    }
    case 'staged':
      return onStaged(machine, { ...open, progress: null }, event.release, context);
    case 'current': {
      const known = { ...open, record: { ...open.record, to: event.release } };
      return abort(machine, known, { outcome: 'current', failure: null }, context);
    }
    case 'staging-failed':
      return abort(machine, open, { outcome: 'failed', failure: event.failure }, context);
    case 'act-failed':
      return open.record.stagingLeft > 0
        ? stage(machine, open, context)
        : abort(machine, open, { outcome: 'failed', failure: event.failure }, context);
    default:
      return ignore(machine);
  }
}

function onStaged(
  machine: UpdateMachine,
  open: Open,
  release: ReleaseIdentity,
  context: UpdateContext,
): UpdateStep {
  const { record } = open;
  if (record.request.dryRun) {
    const known = { ...open, record: { ...record, to: release } };
    return abort(machine, known, { outcome: 'dry-run', failure: null }, context);
  }
  const staged = advance(open, 'staged', { to: release }, context);
  if (record.kind === 'rollback') {
    const next = doing(staged, 'inspecting');
    return become(machine, next, persist(next, { kind: 'inspect-staged' }));
  }
  const paused = pause(machine, staged, context);
  return { machine: paused.machine, effects: [...persist(staged), ...paused.effects] };
}

/** `staged`, going back on purpose: can the former version live with the database as it is now? */
export function whileInspecting(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  const { request, database } = open.record;
  switch (event.kind) {
    case 'inspected': {
      if (event.compatible) {
        const kept = { ...database, wanted: null };
        return pause(machine, { ...open, record: { ...open.record, database: kept } }, context);
      }
      if (request.restoreDatabase && database.wanted) return pause(machine, open, context);
      const { failure } = fail('UPDATE_ROLLBACK_NEEDS_DATABASE', event.detail);
      return abort(machine, open, { outcome: 'failed', failure }, context);
    }
    case 'act-failed':
      return abort(machine, open, { outcome: 'failed', failure: event.failure }, context);
    default:
      return ignore(machine);
  }
}

/** `staged`: running tasks end first. */
export function whilePausing(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'worker-idle':
      return quiesce(machine, open, context);
    case 'worker-up':
      // Another one than the one that was told.
      return { machine, effects: [{ kind: 'tell-worker', message: 'pause' }] };
    case 'update-timer': {
      if (event.timer !== 'idle-deadline') return ignore(machine);
      if (context.worker !== 'serving') return quiesce(machine, open, context);
      const { failure } = fail('UPDATE_BUSY', `Waited ${context.rules.idleTimeoutMs} ms.`);
      return abort(machine, open, { outcome: 'failed', failure }, context);
    }
    default:
      return ignore(machine);
  }
}

/** `quiescing` and `handing-over`: the worker stops; what follows depends on why. */
export function whileSuspending(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  // On trial it may have died in the very moment in which it was to be stopped.
  if (event.kind !== 'worker-suspended' && event.kind !== 'worker-failed') return ignore(machine);
  switch (open.record.state) {
    case 'handing-over':
      return become(machine, doing(open, 'executing'), [{ kind: 'execute' }]);
    case 'rolling-back':
      return become(machine, doing(open, 'restoring-program'), [
        { kind: 'restore-program', record: open.record },
      ]);
    case 'quiescing': {
      const next = doing(advance(open, 'backing-up', {}, context), 'backing-up');
      return become(machine, next, persist(next, { kind: 'back-up', record: next.record }));
    }
    default:
      return ignore(machine);
  }
}

/** `backing-up`: the database is copied while nobody writes to it. */
export function whileBackingUp(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'backed-up': {
      const database = { ...open.record.database, backup: event.backup };
      const next = doing(advance(open, 'switching', { database }, context), 'switching');
      return become(
        machine,
        next,
        persist(next, ...supersede(machine, next.record), {
          kind: 'switch-program',
          record: next.record,
        }),
      );
    }
    case 'act-failed':
      return abort(machine, open, { outcome: 'failed', failure: event.failure }, context);
    default:
      return ignore(machine);
  }
}

/** `switching`: the program, and for a rollback on purpose perhaps the database, is exchanged. */
export function whileSwitching(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'switched':
      return open.record.database.wanted
        ? become(machine, doing(open, 'restoring-wanted'), [
            { kind: 'restore-wanted', record: open.record },
          ])
        : tryOut(machine, open, 'trial', context);
    case 'wanted-restored': {
      const database = { ...open.record.database, wantedRestored: true };
      const restored = { ...open, record: { ...open.record, database } };
      return tryOut(machine, restored, 'trial', context);
    }
    case 'act-failed':
      // Nobody knows how far it came: going back finds out.
      return goBack(machine, open, event.failure, context);
    default:
      return ignore(machine);
  }
}

/** `trial`, and `handing-over` under the new supervisor: the new worker is started. */
export function whileStarting(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'worker-up': {
      const failure = findStranger(event.readiness, open.record.to);
      return failure ? goBack(machine, open, failure, context) : beginSoak(machine, open, context);
    }
    case 'worker-failed':
      return onTrialDeath(machine, open, event, context);
    default:
      return ignore(machine);
  }
}

/** `trial`: served well; the checks after the exchange are under way. */
export function whileChecking(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'checked': {
      if (event.failure) return goBack(machine, open, event.failure, context);
      const warnings = [...open.record.warnings, ...event.warnings].slice(-50);
      const warned = { ...open, record: { ...open.record, warnings } };
      return machine.self === 'to'
        ? commit(machine, warned, context)
        : handOver(machine, warned, context);
    }
    case 'act-failed':
      return goBack(machine, open, event.failure, context);
    case 'worker-failed':
      return onTrialDeath(machine, open, event, context);
    default:
      return ignore(machine);
  }
}

/** `handing-over`: this process is to become the new program. Only a failure comes back. */
export function whileExecuting(
  machine: UpdateMachine,
  open: Open,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'act-failed':
      return goBack(machine, open, event.failure, context);
    case 'hand-over-impossible': {
      // Not the program's fault: it has proven itself, and the next start of the service begins with it.
      const warnings = [...open.record.warnings, event.reason.slice(0, 500)].slice(-50);
      const warned = { ...open, record: { ...open.record, warnings } };
      const committed = commit(machine, warned, context);
      return {
        machine: committed.machine,
        effects: [...committed.effects, { kind: 'resume-worker', trial: false }],
      };
    }
    default:
      return ignore(machine);
  }
}
