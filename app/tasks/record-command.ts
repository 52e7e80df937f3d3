import {
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
} from '../../shared/process/run-command.ts';
import type { TaskLogRow } from '../db/task-logs.ts';
import { maskVariables } from '../domain/mask-variables.ts';

/** How much of each stream a log entry keeps; a command that is parsed may have read more. */
const MAX_RECORDED_CHARACTERS = 32_768;

/**
 * Makes a runner that leaves one log entry for every command (argument list, end, duration, capped output), of those that
 * are repeated all the time only where they fail.
 */
export function recordCommand(
  run: RunCommand,
  append: (entry: Omit<TaskLogRow, 'id' | 'task_id'>) => void,
): RunCommand {
  return async (command) => {
    const result = await run(command);
    if (command.isRoutine && isSuccess(result)) return result;
    const shown = command.hidesArguments ? { ...result, argv: result.argv.slice(0, 1) } : result;
    append({
      ts: Date.now(),
      level: isSuccess(result) ? 'info' : 'warning',
      action: 'command',
      summary: isSuccess(result)
        ? shown.argv.slice(0, 3).join(' ')
        : maskVariables(formatEnd(shown)),
      meta: JSON.stringify(describeCommand(shown, command.isPrivate === true)),
    });
    return result;
  };
}

function describeCommand(result: CommandResult, isPrivate: boolean) {
  const stdout = isPrivate ? { text: '', isCut: false } : cut(result.stdout);
  const stderr = cut(result.stderr);
  return {
    argv: result.argv,
    ...result.end,
    duration_ms: result.durationMs,
    ...(isPrivate ? { stdout_withheld: true } : { stdout: stdout.text }),
    stderr: stderr.text,
    stdout_truncated: stdout.isCut || result.stdoutDropped > 0,
    stderr_truncated: stderr.isCut || result.stderrDropped > 0,
  };
}

function cut(text: string): { text: string; isCut: boolean } {
  const isCut = text.length > MAX_RECORDED_CHARACTERS;
  return { text: maskVariables(isCut ? text.slice(0, MAX_RECORDED_CHARACTERS) : text), isCut };
}
