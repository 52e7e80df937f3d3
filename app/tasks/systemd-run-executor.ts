import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import type { TaskRow } from '../db/tasks.ts';
import { longestDeploymentMs } from '../domain/deployment.ts';
import { isUnitAlive, killUnit, waitForUnit } from '../host/systemctl.ts';
import {
  KILL_WITHIN_MS,
  type TaskExecutor,
  type TaskProgram,
  WAKE_SIGNAL,
} from './task-executor.ts';
import { processOf } from './watched-processes.ts';

/**
 * Longer than every limit inside a task together, and than a process takes on further tasks before its last one; a task
 * that hangs all the same is ended by systemd.
 */
const RUNTIME_MARGIN_MS = 600_000;
const WAKE_TIMEOUT_MS = 10_000;

/** How long a task may take, in milliseconds. */
export const longestTaskMs = longestDeploymentMs;

/**
 * Runs each task in a transient unit of the user manager: a restart or an update of the worker does not cut it short,
 * and stopping the unit ends the whole process tree. The environment is passed by name, so that no value stands in an
 * argument list (systemd-run(1), --setenv).
 */
export function createSystemdRunExecutor(
  run: RunCommand,
  program: TaskProgram,
  maxRuntimeMs: number,
): TaskExecutor {
  const closing = new AbortController();
  const limitMs = maxRuntimeMs + RUNTIME_MARGIN_MS;
  const watch: RunCommand = (command) => run({ ...command, signal: closing.signal });

  return {
    kind: 'systemd-run',
    async start(task) {
      const result = await watch({
        argv: [
          'systemd-run',
          '--user',
          '--collect',
          '--quiet',
          '--wait',
          `--unit=${unitOf(task)}`,
          `--description=pod-upgrade-trigger: task of ${task.unit}`,
          `--property=RuntimeMaxSec=${Math.ceil(limitMs / 1000)}`,
          ...Object.keys(program.environment).map((name) => `--setenv=${name}`),
          '--',
          ...program.argv,
          'run-task',
          task.id,
          String(task.attempts),
        ],
        environment: { ...program.environment },
        timeoutMs: limitMs,
      });
      return isSuccess(result) ? 'the transient unit ended' : formatEnd(result);
    },
    async adopt(task) {
      const alive = await isUnitAlive(run, unitOf(task));
      if (!alive.ok) return { kind: 'unknown' };
      if (!alive.value) return { kind: 'gone' };
      const ended = waitForUnit(watch, unitOf(task), limitMs);
      return { kind: 'alive', ended: ended.then(() => 'the transient unit ended') };
    },
    async wake(task) {
      await run({
        argv: [
          ...(['systemctl', '--user', 'kill', '--kill-who=main'] as const),
          ...[`--signal=${WAKE_SIGNAL}`, '--', unitOf(task)],
        ],
        timeoutMs: WAKE_TIMEOUT_MS,
      });
    },
    kill: (task) => killUnit(run, unitOf(task), KILL_WITHIN_MS),
    close: () => closing.abort(),
  };
}

/** The name differs with each attempt, so that a leftover of the last one cannot be mistaken for this one. */
function unitOf(task: TaskRow): string {
  return `podup-task-${processOf(task).slice('tsk_'.length)}.service`;
}
