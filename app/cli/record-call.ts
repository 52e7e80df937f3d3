import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import { openEventLog } from '../db/open-event-log.ts';
import { makeCallEvent } from '../events/call-event.ts';
import type { CallNote } from './call-note.ts';

/** A command that was begun. */
export type Call = {
  readonly command: Command;
  readonly startedMs: number;
  readonly note: CallNote;
};

/**
 * Records the call of a command. Where there is no database yet there is nothing to record it in, and a database of
 * another version is left as it is: a service may be running on it. That it is not recorded changes nothing else.
 */
export function recordCall(
  { command, startedMs, note }: Call,
  exitCode: ExitCode,
  environment: NodeJS.ProcessEnv,
): void {
  const result = loadSettings(environment);
  if (!result.ok || !existsSync(result.loaded.paths.database)) return;
  const opened = openEventLog(result.loaded.paths.database);
  if (!opened.ok) {
    complain(formatFailure(opened.failure));
    return;
  }
  try {
    opened.value.insertAll([
      makeCallEvent({
        ...note,
        words: wordsOf(command),
        status: note.status ?? STATUS[exitCode] ?? 500,
        uid: process.getuid?.() ?? 0,
        tookMs: performance.now() - startedMs,
        meta: { exit: exitCode, arguments: command.args, options: command.opts(), ...note.meta },
      }),
    ]);
  } catch (error) {
    complain(String(error));
  } finally {
    opened.value.close();
  }
}

/** As a request would have been answered. */
const STATUS: Readonly<Partial<Record<ExitCode, number>>> = { [EXIT.ok]: 200, [EXIT.usage]: 400 };

/** `self-update run`, without the program's own name. */
function wordsOf(command: Command): string[] {
  const names: string[] = [];
  for (let one = command; one.parent; one = one.parent) names.unshift(one.name());
  return names;
}

function complain(why: string): void {
  process.stderr.write(`This call is not in the event log. ${why}\n`);
}
