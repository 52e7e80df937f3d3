import type { UpdateStatus } from '../../../shared/contract/update-status.ts';
import type { UpdateMachine } from './machine.ts';

/** What is shown of the supervisor. */
export function toStatus(
  { work, unavailable }: UpdateMachine,
  supervisor: UpdateStatus['supervisor'],
  change: number,
): UpdateStatus {
  if (work.kind !== 'open') return { change, supervisor, unavailable, update: null };
  const { record, progress } = work;
  const { txn, kind, state, request, from, to, startedAt, triesLeft, failure, steps } = record;
  return {
    change,
    supervisor,
    unavailable,
    update: {
      txn,
      kind,
      state,
      trigger: request.trigger,
      dryRun: request.dryRun,
      from,
      to,
      startedAt,
      triesLeft,
      failure,
      progress,
      steps,
    },
  };
}
