import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';

/** Adds `quarantine` and what belongs to it. Each command is loaded when it is called. */
export function addQuarantineCommands({ program, calling, onEnd }: CommandParts): void {
  const group = program
    .command('quarantine')
    .description('the images that failed for a unit and are not deployed to it again');
  group
    .command('list')
    .description('which images, since when and why')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { showQuarantine } = await import('./quarantine.ts');
      onEnd(await showQuarantine(options, calling));
    });
  group
    .command('release')
    .description('let an image be deployed again; without a digest all of the unit')
    .argument('<unit>', 'with .service')
    .argument('[digest]', 'as the list shows it')
    .option(...JSON_OPTION)
    .action(async (unit: string, digest: string | undefined, options: { json?: boolean }) => {
      const { releaseQuarantine } = await import('./quarantine.ts');
      onEnd(await releaseQuarantine(unit, digest, options, calling));
    });
}
