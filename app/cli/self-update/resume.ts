import type { ExitCode } from '../../../shared/contract/exit-codes.ts';
import { askAndSay } from './ask-and-say.ts';
import type { UpdateCli } from './update-cli.ts';

/** `self-update resume`: ends a hold, and has an update that is held tried again. */
export function resumeUpdates(cli: UpdateCli): Promise<ExitCode> {
  return askAndSay(cli, 'resume', {}, () => 'Updates are not on hold any more.');
}
