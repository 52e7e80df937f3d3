import type { Command } from 'commander';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Calling } from './call-note.ts';

/** `attention`, `attention seen`. */
export function addAttentionCommands(
  cli: Command,
  calling: Calling,
  onEnd: (code: ExitCode) => void,
): void {
  const attention = cli
    .command('attention')
    .description('everything that wants a person: what failed, is stuck, held, missed or ill');
  const json = ['--json', 'for programs: one JSON object'] as const;
  attention
    .command('list', { isDefault: true })
    .description('all of it, errors first, with what can be done')
    .option(...json)
    .action(async (options: { json?: boolean }) => {
      const { listAttentionCommand } = await import('./attention.ts');
      onEnd(await listAttentionCommand(options, calling));
    });
  attention
    .command('seen')
    .description('say that somebody has seen an item; it stays until its cause is gone')
    .argument('<id>', 'as in the list')
    .option(...json)
    .action(async (id: string, options: { json?: boolean }) => {
      const { markSeen } = await import('./attention.ts');
      onEnd(await markSeen(id, options, calling));
    });
}
