import { type Failure, fail } from '../../shared/contract/outcome.ts';
import type { SupervisorChannel } from '../updates/supervisor-channel.ts';

/**
 * What is wrong with the supervisor, by what it said last: that there is none, or that an update of this program is held
 * and somebody has to look. A supervisor that has not spoken yet is well: the worker does not outlive it.
 */
export function judgeSupervisor(
  channel: Pick<SupervisorChannel, 'latestStatus'> | undefined,
): Failure | undefined {
  if (!channel) return fail('SUPERVISOR_ABSENT', '').failure;
  const update = channel.latestStatus()?.update;
  return update?.state === 'held' ? (update.failure ?? undefined) : undefined;
}
