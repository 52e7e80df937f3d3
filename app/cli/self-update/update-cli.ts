import { userInfo } from 'node:os';
import { type Loaded, loadSettings } from '../../../shared/config/load-settings.ts';
import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { type Failure, formatFailure } from '../../../shared/contract/outcome.ts';
import { viewFailure } from '../../updates/view-self-update.ts';
import { printFaults } from '../print-faults.ts';

/** What every command of `self-update` works with. */
export type UpdateCli = {
  readonly loaded: Loaded;
  /** Who asks, for the record. */
  readonly by: string;
  /** Aborted when the person does not want to wait any longer. */
  readonly signal: AbortSignal;
  /** Says what came of it: words for a person, or a value for a program. */
  say(words: string, value: unknown): void;
  /** Says how it goes, to a person only. */
  sayMeanwhile(words: string): void;
  /** Says why it failed. */
  fail(failure: Failure): ExitCode;
};

/** Carries out a command of `self-update`. Nothing but the state directory need be known to it. */
export async function withUpdateCli(
  environment: NodeJS.ProcessEnv,
  isJson: boolean,
  act: (cli: UpdateCli) => Promise<ExitCode>,
): Promise<ExitCode> {
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  const leaving = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => leaving.abort());
  }
  return await act({
    loaded: result.loaded,
    by: whoAsks(),
    signal: leaving.signal,
    say: (words, value) => printLine(isJson ? JSON.stringify(value) : words),
    sayMeanwhile: (words) => {
      if (!isJson) printLine(words);
    },
    fail: (failure) => {
      if (isJson) printLine(JSON.stringify({ failure: viewFailure(failure) }));
      process.stderr.write(`${formatFailure(failure)}\n`);
      return EXIT.failure;
    },
  });
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function whoAsks(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without a name, as in a container.
    return `user ${process.getuid?.()}`;
  }
}
