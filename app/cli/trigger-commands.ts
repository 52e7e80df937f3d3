import type { Command } from 'commander';
import type { CommandParts } from './call-note.ts';
import { JSON_OPTION, text } from './options.ts';
import type { TriggerOptions } from './trigger.ts';

/** Adds `trigger-units` and `trigger-all`, as scripts of the earlier program call them. */
export function addTriggerCommands({ program, calling, onEnd }: CommandParts): void {
  const addCommon = (command: Command) =>
    command
      .option('--dry-run', 'only tell what would be done; touches nothing')
      .option('--caller <name>', 'who asks, for the record', text(200))
      .option('--reason <text>', 'why, for the record', text(500))
      .option('--no-wait', 'end at once, and leave the tasks to run')
      .option(...JSON_OPTION);
  addCommon(
    program
      .command('trigger-units')
      .description('restart units as they are, and wait until each is proven to serve')
      .argument('[names...]')
      .option('--units <names>', 'the same, with commas between')
      .option('--all', 'all units that this program may touch'),
  ).action(async (names: readonly string[], options: TriggerOptions) => {
    const { triggerUnits } = await import('./trigger.ts');
    onEnd(await triggerUnits(names, options, calling));
  });
  addCommon(
    program.command('trigger-all').description('restart all units that this program may touch'),
  ).action(async (options: TriggerOptions) => {
    const { triggerUnits } = await import('./trigger.ts');
    onEnd(await triggerUnits([], { ...options, all: true }, calling));
  });
}
