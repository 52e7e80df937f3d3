import type { Command } from 'commander';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';

/** `backup create|list|verify|restore`. */
export function addBackupCommands(
  cli: Command,
  environment: NodeJS.ProcessEnv,
  onEnd: (code: ExitCode) => void,
): void {
  const backup = cli
    .command('backup')
    .description('backups of the database, besides those that are made on the schedule');
  const json = ['--json', 'for programs: one JSON object'] as const;
  backup
    .command('create')
    .description('back the database up now; it may be in use')
    .option(...json)
    .action(async (options: { json?: boolean }) => {
      const { backupCreate } = await import('./backup.ts');
      onEnd(await backupCreate(options, environment));
    });
  backup
    .command('list')
    .description('the backups that are there, newest first')
    .option(...json)
    .action(async (options: { json?: boolean }) => {
      const { backupList } = await import('./backup.ts');
      onEnd(await backupList(options, environment));
    });
  backup
    .command('verify')
    .description('say whether a backup is what was written and can be used; without a name all')
    .argument('[name]', 'as in the list, or the path of a backup')
    .action(async (name?: string) => {
      const { backupVerify } = await import('./backup.ts');
      onEnd(await backupVerify(name, environment));
    });
  backup
    .command('restore')
    .description(
      'put a backup in the place of the database, which is kept; the service must not run',
    )
    .argument('<name>', 'as in the list, or the path of a backup')
    .action(async (name: string) => {
      const { backupRestore } = await import('./backup.ts');
      onEnd(await backupRestore(name, environment));
    });
}
