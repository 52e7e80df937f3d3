import type { ExitCode } from '../../../shared/contract/exit-codes.ts';
import { askAndFollow } from './ask-and-say.ts';
import type { UpdateCli } from './update-cli.ts';

/** What `self-update rollback` is called with. */
export type RollbackOptions = {
  readonly version: string;
  readonly restoreDatabase?: boolean;
  readonly reason?: string;
  readonly wait?: boolean;
};

/** `self-update rollback VERSION`: has a former version put back that is kept on this host. */
export function rollBack(cli: UpdateCli, options: RollbackOptions): Promise<ExitCode> {
  const { version, restoreDatabase = false, reason = null, wait = false } = options;
  return askAndFollow(cli, 'rollback', { version, restoreDatabase, reason }, wait);
}
