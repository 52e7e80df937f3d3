import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';

/** Adds `image-locks` and `limits`. Each command is loaded when it is called. */
export function addLimitCommands({ program, calling, onEnd }: CommandParts): void {
  const locks = program
    .command('image-locks')
    .description('the images that are being deployed, and how often each was');
  locks
    .command('list')
    .description('which images are held by which task, and which have to wait until when')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { showImageLocks } = await import('./image-locks.ts');
      onEnd(await showImageLocks(options, calling));
    });
  locks
    .command('release')
    .description('let an image be deployed although it was so often')
    .argument('<name>', 'as the list shows it, or the image itself')
    .option(...JSON_OPTION)
    .action(async (name: string, options: { json?: boolean }) => {
      const { releaseLock } = await import('./image-locks.ts');
      onEnd(await releaseLock(name, options, calling));
    });
  const limits = program
    .command('limits')
    .description('what is let through how often, and who is not let through now');
  limits
    .command('list')
    .description('every limit, and how much of it is used')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { showLimits } = await import('./limits.ts');
      onEnd(await showLimits(options, calling));
    });
  limits
    .command('release')
    .description('let an address show credentials again, or the old path through')
    .argument('<name>', 'an address as the list shows it, * for all together, or auto-update')
    .option(...JSON_OPTION)
    .action(async (name: string, options: { json?: boolean }) => {
      const { releaseLimit } = await import('./limits.ts');
      onEnd(await releaseLimit(name, options, calling));
    });
}
