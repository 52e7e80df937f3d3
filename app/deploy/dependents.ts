import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { findInactive } from '../host/read-unit-state.ts';
import { resetFailed, startUnits } from '../host/systemctl.ts';

/**
 * Brings the units that were active before back: systemd stops what requires a unit together with it, and starts none
 * of them again when a restart has failed in between. DEPENDENTS_DOWN names those that do not come up.
 */
export async function bringBack(
  run: RunCommand,
  dependents: readonly string[],
  timeoutMs: number,
): Promise<Outcome<readonly string[]>> {
  const before = await findInactive(run, dependents);
  if (!before.ok) return before;
  if (before.value.length === 0) return succeed([]);
  for (const unit of before.value) await resetFailed(run, unit);
  const started = await startUnits(run, before.value, timeoutMs);
  const after = await findInactive(run, dependents);
  if (!after.ok) return after;
  if (after.value.length === 0) return succeed(before.value);
  const why = isSuccess(started) ? '' : ` ${formatEnd(started)}`;
  return fail('DEPENDENTS_DOWN', `${after.value.join(', ')}.${why}`);
}
