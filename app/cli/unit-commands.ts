import type { Command } from 'commander';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Calling } from './call-note.ts';
import { JSON_OPTION } from './options.ts';
import type { ListUnitsOptions, ShowUnitOptions } from './units.ts';

/** Adds to `units` what shows them: which are known, where each was found, and who may have it deployed. */
export function addUnitCommands(
  units: Command,
  calling: Calling,
  onEnd: (code: ExitCode) => void,
): void {
  const discover = ['--discover', 'look for units on the host first'] as const;
  const refresh = ['--refresh', 'look for units first, and ask the registries'] as const;
  units
    .command('list')
    .description('all known units: listed in PODUP_MANUAL_UNITS, or found on the host')
    .option(...discover)
    .option(...refresh)
    .option(...JSON_OPTION)
    .action(async (options: ListUnitsOptions) => {
      const { listUnits } = await import('./units.ts');
      onEnd(await listUnits(options, calling));
    });
  units
    .command('show')
    .description('one unit: where it was found, what it says for itself, who may deploy it')
    .argument('<unit>')
    .option(...discover)
    .option(...refresh)
    .option(...JSON_OPTION)
    .action(async (unit: string, options: ShowUnitOptions) => {
      const { showUnit } = await import('./units.ts');
      onEnd(await showUnit(unit, options, calling));
    });
}
