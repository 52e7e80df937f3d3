import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { type Failure, fail } from '../../../shared/contract/outcome.ts';
import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import type { Readiness, WorkerSignal } from '../event.ts';
import type { Open, UpdateContext, UpdateMachine, UpdateStep } from './machine.ts';
import { goBack, hold, mayStartOld, startOld, tryOut } from './moves.ts';

/** The worker on trial is gone: tried again when it crashed, given up when trying again would not help. */
export function onTrialDeath(
  machine: UpdateMachine,
  open: Open,
  death: WorkerSignal & { kind: 'worker-failed' },
  context: UpdateContext,
): UpdateStep {
  const { triesLeft, state } = open.record;
  const how = describeDeath(death);
  if (death.how === 'timed-out') {
    return goBack(machine, open, fail('UPDATE_START_TIMEOUT', how).failure, context);
  }
  if (death.code === EXIT.configInvalid) {
    return goBack(machine, open, fail('UPDATE_CONFIG_REJECTED', how).failure, context);
  }
  if (triesLeft > 0) {
    return anew(
      tryOut(machine, open, state === 'handing-over' ? 'handing-over' : 'trial', context),
    );
  }
  return goBack(machine, open, fail('UPDATE_START_FAILED', how).failure, context);
}

/** What the dead worker was asked, or asked of itself, says nothing about the next one. */
function anew(step: UpdateStep): UpdateStep {
  return { ...step, effects: [{ kind: 'cancel-act' }, ...step.effects] };
}

/** How a worker ended, in words. */
function describeDeath({
  how,
  code,
  signal,
  reason,
}: WorkerSignal & { kind: 'worker-failed' }): string {
  if (how === 'not-started') return `It could not be started: ${reason}.`;
  if (how === 'timed-out') return 'It did not become ready and was killed.';
  return signal === null ? `It exited with ${code}.` : `It was ended by ${signal}.`;
}

/** Why what came up is not the program that was installed; undefined where it is. */
export function findStranger(
  { version, digest }: Readiness,
  expected: ReleaseIdentity | null,
): Failure | undefined {
  if (!expected) return fail('UPDATE_WRONG_PROGRAM', 'Nothing was installed.').failure;
  if (version !== expected.version) {
    return fail('UPDATE_WRONG_PROGRAM', `It calls itself ${version}, not ${expected.version}.`)
      .failure;
  }
  if (digest !== expected.digest) {
    return fail('UPDATE_WRONG_PROGRAM', `Its digest is ${digest}, not ${expected.digest}.`).failure;
  }
  return undefined;
}

/** The old worker does not live either: tried again a few times, then held. */
export function onOldDeath(
  machine: UpdateMachine,
  open: Open,
  death: WorkerSignal & { kind: 'worker-failed' },
  context: UpdateContext,
): UpdateStep {
  const isHopeless = death.code === EXIT.configInvalid || death.how === 'timed-out';
  if (mayStartOld(open) && !isHopeless) return anew(startOld(machine, open, context));
  const { failure } = fail('UPDATE_ROLLBACK_FAILED', describeDeath(death));
  return hold(machine, open, failure, context);
}
