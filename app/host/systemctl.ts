import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  type CommandResult,
  formatEnd,
  type RunCommand,
} from '../../shared/process/run-command.ts';

const QUERY_TIMEOUT_MS = 10_000;
const TEXT_TIMEOUT_MS = 20_000;

/** Restarts a unit and waits for the result of the job; the unit's own limits apply below `timeoutMs`. */
export function restartUnit(
  run: RunCommand,
  unit: string,
  timeoutMs: number,
): Promise<CommandResult> {
  return run({ argv: ['systemctl', '--user', 'restart', '--', unit], timeoutMs });
}

/** What `systemctl status` says of a unit, for a person. */
export function showStatus(run: RunCommand, unit: string): Promise<CommandResult> {
  return run({
    argv: ['systemctl', '--user', 'status', '--no-pager', '--full', '--lines=0', '--', unit],
    timeoutMs: TEXT_TIMEOUT_MS,
  });
}

/** The last lines of the journal of a unit. */
export function showJournal(run: RunCommand, unit: string, lines: number): Promise<CommandResult> {
  return run({
    argv: [
      'journalctl',
      '--user',
      `--user-unit=${unit}`,
      `--lines=${lines}`,
      '--no-pager',
      '--output=short-precise',
    ],
    timeoutMs: TEXT_TIMEOUT_MS,
  });
}

/** Whether the user manager answers; `degraded` (some unit failed) is an answer too. */
export async function checkUserManager(run: RunCommand): Promise<Outcome<void>> {
  const result = await run({
    argv: ['systemctl', '--user', 'is-system-running'],
    timeoutMs: QUERY_TIMEOUT_MS,
  });
  const state = result.stdout.trim();
  if (['running', 'degraded', 'starting', 'initializing', 'maintenance'].includes(state)) {
    return succeed(undefined);
  }
  return fail('USER_MANAGER_UNAVAILABLE', state === '' ? formatEnd(result) : `It is ${state}.`);
}

/** Whether a unit is running or about to. False for one that does not exist. */
export async function isUnitAlive(run: RunCommand, unit: string): Promise<Outcome<boolean>> {
  const result = await run({
    argv: ['systemctl', '--user', 'show', '--property=ActiveState', '--value', '--', unit],
    timeoutMs: QUERY_TIMEOUT_MS,
  });
  const state = result.stdout.trim();
  if (state === '') return fail('USER_MANAGER_UNAVAILABLE', formatEnd(result));
  return succeed(state !== 'inactive' && state !== 'failed');
}

/** Resolves when a running unit has ended. Starts nothing that has ended already: a collected unit is not found. */
export async function waitForUnit(run: RunCommand, unit: string, timeoutMs: number): Promise<void> {
  await run({ argv: ['systemctl', '--user', 'start', '--wait', '--', unit], timeoutMs });
}
