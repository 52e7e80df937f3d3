import { InvalidArgumentError } from 'commander';
import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';
import type { PruneOptions } from './prune-state.ts';

/** Adds `prune-state`. */
export function addPruneCommand({ program, calling, onEnd }: CommandParts): void {
  program
    .command('prune-state')
    .description(
      'remove what is older than it is kept for, besides what is removed on the schedule',
    )
    .option(
      '--max-age-hours <number>',
      'how old may be what is of use for hours only',
      readMaxAgeHours,
      24,
    )
    .option('--dry-run', 'only say how much would be removed')
    .option(...JSON_OPTION)
    .action(async (options: PruneOptions) => {
      const { pruneStateCommand } = await import('./prune-state.ts');
      onEnd(await pruneStateCommand(options, calling.environment));
    });
}

function readMaxAgeHours(text: string): number {
  const hours = Number(text);
  if (hours > 0 && hours <= 876_600) return hours;
  throw new InvalidArgumentError('It is a number above 0, 876600 at most.');
}
