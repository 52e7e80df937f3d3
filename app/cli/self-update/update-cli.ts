import { type Loaded, loadSettings } from '../../../shared/config/load-settings.ts';
import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import type { Failure } from '../../../shared/contract/outcome.ts';
import { nameUser } from '../../../shared/process/name-user.ts';
import { print, printJson, sayFailure } from '../output/say.ts';
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
    by: nameUser(),
    signal: leaving.signal,
    say: (words, value) => (isJson ? printJson(value) : print(words)),
    sayMeanwhile: (words) => {
      if (!isJson) print(words);
    },
    fail: (failure) => sayFailure(failure, isJson),
  });
}
