import { fail, formatFailure, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  type Command,
  type CommandResult,
  formatEnd,
  type RunCommand,
} from '../../shared/process/run-command.ts';
import { explainUnreachable } from './explain-unreachable.ts';

/**
 * Why a command to the service manager has failed: USER_MANAGER_UNAVAILABLE, or SSH_UNREACHABLE where already the host
 * was out of reach.
 */
export function explainManager(result: CommandResult): ReturnType<typeof fail> {
  return explainUnreachable(result) ?? fail('USER_MANAGER_UNAVAILABLE', formatEnd(result));
}

const QUERY_TIMEOUT_MS = 10_000;
const TEXT_TIMEOUT_MS = 20_000;

/** Restarts a unit and waits for the result of the job; the unit's own limits apply below `timeoutMs`. */
export function restartUnit(
  run: RunCommand,
  unit: string,
  timeoutMs: number,
): Promise<CommandResult> {
  return run({
    argv: ['systemctl', '--user', 'restart', '--', unit],
    timeoutMs,
    manager: { kind: 'restart', unit },
  });
}

/**
 * Forgets failed starts, so that systemd's limit of them does not forbid the next one. Asked once more where nobody can say
 * whether that was heard: a start that is forbidden would be taken for the fault of an image.
 */
export async function resetFailed(
  run: RunCommand,
  ...units: readonly string[]
): Promise<CommandResult> {
  const unique = [...new Set(units)];
  const command: Command = {
    argv: ['systemctl', '--user', 'reset-failed', '--', ...unique],
    timeoutMs: QUERY_TIMEOUT_MS,
    manager: { kind: 'reset-failed', units: unique },
  };
  const first = await run(command);
  return ['exited', 'answered'].includes(first.end.kind) ? first : run(command);
}

/** Starts units that are not active and waits for the results. */
export function startUnits(
  run: RunCommand,
  units: readonly string[],
  timeoutMs: number,
): Promise<CommandResult> {
  return run({ argv: ['systemctl', '--user', 'start', '--', ...units], timeoutMs });
}

/** Has the manager read all unit files again. */
export function reloadManager(run: RunCommand): Promise<CommandResult> {
  return run({ argv: ['systemctl', '--user', 'daemon-reload'], timeoutMs: TEXT_TIMEOUT_MS });
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
      `--unit=${unit}`,
      `--lines=${lines}`,
      '--no-pager',
      '--output=short-precise',
    ],
    timeoutMs: TEXT_TIMEOUT_MS,
  });
}

/** What is looked at of each line, so that no pattern has a long one to try itself on. */
const MAX_LINE_CHARACTERS = 4096;
const MAX_LOG_BYTES = 4 * 1024 * 1024;

/** What a unit and its containers have logged since a moment of the wall clock, line by line. */
export async function readUnitLog(
  run: RunCommand,
  unit: string,
  sinceWallMs: number,
): Promise<Outcome<readonly string[]>> {
  const result = await run({
    argv: [
      'journalctl',
      '--user',
      `--unit=${unit}`,
      `--since=@${(sinceWallMs / 1000).toFixed(3)}`,
      '--no-pager',
      '--quiet',
      '--output=cat',
    ],
    timeoutMs: TEXT_TIMEOUT_MS,
    maxOutputBytes: MAX_LOG_BYTES,
  });
  if (result.end.kind !== 'exited' || result.end.code !== 0) {
    return explainManager(result);
  }
  const lines = result.stdout.split('\n').filter((line) => line !== '');
  return succeed(lines.map((line) => line.slice(0, MAX_LINE_CHARACTERS)));
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
  if (state === '') return explainManager(result);
  return fail('USER_MANAGER_UNAVAILABLE', `It is ${state}.`);
}

/** Whether a unit is running or about to. False for one that does not exist. */
export async function isUnitAlive(run: RunCommand, unit: string): Promise<Outcome<boolean>> {
  const result = await run({
    argv: ['systemctl', '--user', 'show', '--property=ActiveState', '--value', '--', unit],
    timeoutMs: QUERY_TIMEOUT_MS,
  });
  const state = result.stdout.trim();
  if (state === '') return explainManager(result);
  return succeed(state !== 'inactive' && state !== 'failed');
}

/** Resolves when a running unit has ended. Starts nothing that has ended already: a collected unit is not found. */
export async function waitForUnit(run: RunCommand, unit: string, timeoutMs: number): Promise<void> {
  await run({ argv: ['systemctl', '--user', 'start', '--wait', '--', unit], timeoutMs });
}

/**
 * Kills every process of a unit and waits until it is gone, for `timeoutMs` at most. Good where there is no such unit;
 * fails with TASK_NOT_KILLED where it is still there, or nobody can say.
 */
export async function killUnit(
  run: RunCommand,
  unit: string,
  timeoutMs: number,
): Promise<Outcome<void>> {
  const systemctl = (...words: readonly string[]) =>
    run({ argv: ['systemctl', '--user', ...words, '--', unit], timeoutMs });
  await systemctl('kill', '--kill-who=all', '--signal=SIGKILL');
  // Waits for the end of what was killed.
  const stopped = await systemctl('stop');
  const alive = await isUnitAlive(run, unit);
  if (alive.ok && !alive.value) return succeed(undefined);
  return fail('TASK_NOT_KILLED', alive.ok ? formatEnd(stopped) : formatFailure(alive.failure));
}
