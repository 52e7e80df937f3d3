import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';

/** `backup create|list|verify|restore`. */
export function addBackupCommands({ program, calling, onEnd }: CommandParts): void {
  const { environment } = calling;
  const backup = program
    .command('backup')
    .description('backups of the database, besides those that are made on the schedule');
  backup
    .command('create')
    .description('back the database up now; it may be in use')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { backupCreate } = await import('./backup.ts');
      onEnd(await backupCreate(options, environment));
    });
  backup
    .command('list')
    .description('the backups that are there, newest first')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { backupList } = await import('./backup.ts');
      onEnd(await backupList(options, environment));
    });
  backup
    .command('verify')
    .description('say whether a backup is what was written and can be used; without a name all')
    .argument('[name]', 'as in the list, or the path of a backup')
    .option(...JSON_OPTION)
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const { backupVerify } = await import('./backup.ts');
      onEnd(await backupVerify(name, options, environment));
    });
  backup
    .command('restore')
    .description(
      'put a backup in the place of the database, which is kept; the service must not run',
    )
    .argument('<name>', 'as in the list, or the path of a backup')
    .option(...JSON_OPTION)
    .action(async (name: string, options: { json?: boolean }) => {
      const { backupRestore } = await import('./backup.ts');
      onEnd(await backupRestore(name, options, environment));
    });
}
