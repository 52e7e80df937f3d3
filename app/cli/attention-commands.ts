import type { CommandParts } from './call-note.ts';
import { JSON_OPTION, text } from './options.ts';

/** Adds `attention` and what belongs to it. Each command is loaded when it is called. */
export function addAttentionCommands({ program, calling, onEnd }: CommandParts): void {
  const attention = program
    .command('attention')
    .description('everything that wants a person: what failed, is stuck, held, missed or ill');
  attention
    .command('list')
    .description('all of it, errors first, with what can be done')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { showAttention } = await import('./attention.ts');
      onEnd(await showAttention(options, calling));
    });
  attention
    .command('seen')
    .description('say that somebody has seen an item; it stays until its cause is gone')
    .argument('<id>', 'as in the list', text(1000))
    .option(...JSON_OPTION)
    .action(async (id: string, options: { json?: boolean }) => {
      const { markSeen } = await import('./attention.ts');
      onEnd(await markSeen(id, options, calling));
    });
}
