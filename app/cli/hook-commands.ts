import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';

/** Adds `hooks list`. */
export function addHookCommands({ program, calling, onEnd }: CommandParts): void {
  const group = program.command('hooks').description('the webhooks by which units are updated');
  group
    .command('list')
    .description('where each has to go, and how the last of them came in')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { listHooks } = await import('./hooks.ts');
      onEnd(await listHooks(options, calling));
    });
}
