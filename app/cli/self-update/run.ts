import type { ExitCode } from '../../../shared/contract/exit-codes.ts';
import { askAndFollow } from './ask-and-say.ts';
import type { UpdateCli } from './update-cli.ts';

/** What `self-update run` is called with. */
export type RunOptions = {
  readonly dryRun?: boolean;
  readonly tag?: string;
  readonly force?: boolean;
  readonly reason?: string;
  readonly wait?: boolean;
};

/** `self-update run`: has the newest release installed, or the one with this tag. */
export function runUpdate(cli: UpdateCli, options: RunOptions): Promise<ExitCode> {
  const { dryRun = false, force = false, tag = null, reason = null, wait = false } = options;
  return askAndFollow(cli, 'run', { dryRun, force, tag, reason }, wait);
}
