import type { ExitCode } from '../../../shared/contract/exit-codes.ts';
import { askAndSay } from './ask-and-say.ts';
import type { UpdateCli } from './update-cli.ts';

/** `self-update cancel`: ends the open update while nothing is exchanged yet. */
export function cancelUpdate(
  cli: UpdateCli,
  { reason }: { readonly reason?: string },
): Promise<ExitCode> {
  return askAndSay(
    cli,
    'cancel',
    { reason: reason ?? null },
    (txn) => `${txn} is being cancelled.`,
  );
}
