import type { Command } from 'commander';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Calling } from './call-note.ts';
import type { CheckOptions, UpdatesOptions } from './check-updates.ts';
import { JSON_OPTION } from './options.ts';

/** Adds to `units` what looks for updates. All of it asks the running service, and is loaded when it is called. */
export function addCheckCommands(
  units: Command,
  calling: Calling,
  onEnd: (code: ExitCode) => void,
): void {
  units
    .command('check')
    .description('look now whether registries have something newer than what the units run')
    .argument('[unit...]')
    .option('--all', 'look at all units')
    .option(...JSON_OPTION)
    .action(async (names: readonly string[], options: CheckOptions) => {
      const { checkUnits } = await import('./check-updates.ts');
      onEnd(await checkUnits(names, options, calling));
    });
  units
    .command('updates')
    .description('what the last look at the registries has found; asks none')
    .option('--status <status>', 'up_to_date, tag_update_available, latest_ahead or unknown')
    .option(...JSON_OPTION)
    .action(async (options: UpdatesOptions) => {
      const { showUpdates } = await import('./check-updates.ts');
      onEnd(await showUpdates(options, calling));
    });
}
