import type { ExitCode } from '../../../shared/contract/exit-codes.ts';
import { askAndSay } from './ask-and-say.ts';
import type { UpdateCli } from './update-cli.ts';

/** `self-update hold`: no update begins until the hold is ended. */
export function holdUpdates(
  cli: UpdateCli,
  { reason }: { readonly reason?: string },
): Promise<ExitCode> {
  return askAndSay(
    cli,
    'hold',
    { reason: reason ?? null },
    () => 'Updates are on hold; self-update resume ends the hold.',
  );
}
