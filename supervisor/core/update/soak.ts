import { type Failure, fail } from '../../../shared/contract/outcome.ts';
import { onOldDeath, onTrialDeath } from './deaths.ts';
import type {
  Open,
  Soaking,
  UpdateContext,
  UpdateEvent,
  UpdateMachine,
  UpdateStep,
} from './machine.ts';
import { become, commit, endRollback, goBack, hold, ignore } from './moves.ts';
import { doing } from './record-moves.ts';
import { nextProbe, planSoak } from './soak-plan.ts';

/** Bad answers in all, before it is given up: one may be bad luck. */
const PROBE_FAILURES = 3;
/** It serves; asked again and again until it has served long enough. */
export function whileSoaking(
  machine: UpdateMachine,
  open: Open,
  soaking: Soaking,
  event: UpdateEvent,
  context: UpdateContext,
): UpdateStep {
  switch (event.kind) {
    case 'update-timer': {
      if (event.timer !== 'probe') return ignore(machine);
      const { record } = open;
      const { version } =
        record.state === 'rolling-back' ? record.from : (record.to ?? record.from);
      return { machine, effects: [{ kind: 'probe', version }] };
    }
    case 'probed':
      return event.failure
        ? onBadProbe(machine, open, soaking, event.failure, context)
        : onGoodProbe(machine, open, soaking, context);
    case 'act-failed':
      // No answer to the question is no good one; waiting for it would never end.
      return onBadProbe(machine, open, soaking, event.failure, context);
    case 'worker-failed':
      return open.record.state === 'rolling-back'
        ? onOldDeath(machine, open, event, context)
        : onTrialDeath(machine, open, event, context);
    default:
      return ignore(machine);
  }
}

function onGoodProbe(
  machine: UpdateMachine,
  open: Open,
  soaking: Soaking,
  context: UpdateContext,
): UpdateStep {
  const good = soaking.good + 1;
  const isEnough = good >= planSoak(open, context).probes && context.nowMs >= soaking.untilMs;
  if (!isEnough) {
    return become(machine, { ...open, doing: { ...soaking, good } }, [nextProbe(open, context)]);
  }
  switch (open.record.state) {
    case 'rolling-back':
      return endRollback(machine, open, context);
    case 'handing-over':
      return commit(machine, open, context);
    default: {
      const next = doing(open, 'checking');
      return become(machine, next, [{ kind: 'check', record: next.record }]);
    }
  }
}

function onBadProbe(
  machine: UpdateMachine,
  open: Open,
  soaking: Soaking,
  seen: Failure,
  context: UpdateContext,
): UpdateStep {
  const failures = soaking.failures + 1;
  if (failures < PROBE_FAILURES) {
    const next = { ...open, doing: { ...soaking, good: 0, failures } };
    return become(machine, next, [nextProbe(open, context)]);
  }
  if (open.record.state !== 'rolling-back') return goBack(machine, open, seen, context);
  const { failure } = fail('UPDATE_ROLLBACK_FAILED', seen.detail);
  return hold(machine, open, failure, context);
}
