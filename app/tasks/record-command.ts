import {
  type Command,
  type CommandResult,
  formatEnd,
  isSuccess,
  type RunCommand,
} from '../../shared/process/run-command.ts';
import type { TaskLogRow } from '../db/task-logs.ts';
import { maskKeys } from '../domain/mask-keys.ts';
import { maskVariables } from '../domain/mask-variables.ts';
import { GrowingOutput } from './growing-output.ts';

/** How much of each stream a log entry keeps; a command that is parsed may have read more. */
const MAX_RECORDED_CHARACTERS = 32_768;
const MAX_SECRET_CHARACTERS = 8_192;

/** Where the entries of a log go, and what must not stand in them. */
export type CommandLog = {
  readonly append: (entry: Omit<TaskLogRow, 'id' | 'task_id'>) => void;
  /** The attempt at the task; a command is known by it and its number. */
  readonly attempt: number;
  /** Hides secrets that are known by their value. */
  readonly mask: (text: string) => string;
};

type Entry = {
  readonly level: TaskLogRow['level'];
  readonly action: string;
  readonly summary: string;
};

/**
 * Makes a runner that leaves one log entry for every command (argument list, end, duration, capped output), of those that
 * are repeated all the time only where they fail. One that takes its time has entries before: that it began, and what it
 * says while it says it; `command` joins them.
 */
export function recordCommand(run: RunCommand, log: CommandLog): RunCommand {
  const mask = (text: string) => log.mask(maskKeys(maskVariables(text)));
  const append = (entry: Entry, meta: object) =>
    log.append({
      ts: Date.now(),
      ...entry,
      summary: mask(entry.summary),
      meta: JSON.stringify(meta),
    });
  let count = 0;
  return async (command) => {
    count++;
    const id = `${log.attempt}-${count}`;
    const growing = showsWhileItRuns(command) ? openGrowing(command, id, { append, mask }) : null;
    const result = await run({
      ...command,
      ...(growing && { onOutput: (stream, chunk) => growing.add(stream, chunk) }),
    });
    growing?.end();
    if (command.isRoutine && isSuccess(result)) return result;
    const shown = command.hidesArguments ? { ...result, argv: result.argv.slice(0, 1) } : result;
    append(
      {
        level: isSuccess(result) ? 'info' : 'warning',
        action: 'command',
        summary: isSuccess(result) ? shown.argv.slice(0, 3).join(' ') : formatEnd(shown),
      },
      {
        ...(growing?.hasBegun && { command: id }),
        ...describeCommand(shown, command.isPrivate === true, mask),
      },
    );
    return result;
  };
}

function showsWhileItRuns(command: Command): boolean {
  return !command.isPrivate && !command.isRoutine && !command.hidesArguments;
}

function openGrowing(
  { argv }: Command,
  id: string,
  { append, mask }: { append(entry: Entry, meta: object): void; mask(text: string): string },
): GrowingOutput {
  const summary = argv.slice(0, 3).join(' ');
  const tell = (action: string, meta: object) => {
    try {
      append({ level: 'info', action, summary }, { command: id, ...meta });
    } catch {
      // The database is busy: who watches misses a piece, and the entry at the end has it.
    }
  };
  return new GrowingOutput(
    () => tell('command-started', { argv: argv.map(mask) }),
    (parts, isCut) =>
      // Said once: from here on only its end is told.
      tell('command-output', { parts, ...(isCut && { truncated: true }) }),
    mask,
  );
}

function describeCommand(
  result: CommandResult,
  isPrivate: boolean,
  mask: (text: string) => string,
) {
  const stdout = isPrivate ? { text: '', isCut: false } : cut(result.stdout, mask);
  const stderr = cut(result.stderr, mask);
  return {
    argv: result.argv.map(mask),
    ...result.end,
    duration_ms: result.durationMs,
    ...(isPrivate ? { stdout_withheld: true } : { stdout: stdout.text }),
    stderr: stderr.text,
    stdout_truncated: stdout.isCut || result.stdoutDropped > 0,
    stderr_truncated: stderr.isCut || result.stderrDropped > 0,
  };
}

function cut(text: string, mask: (text: string) => string): { text: string; isCut: boolean } {
  const isCut = text.length > MAX_RECORDED_CHARACTERS;
  // Hidden before it is cut: a part of a secret would not be known for one.
  const seen = mask(text.slice(0, MAX_RECORDED_CHARACTERS + MAX_SECRET_CHARACTERS));
  return { text: seen.slice(0, MAX_RECORDED_CHARACTERS), isCut };
}
