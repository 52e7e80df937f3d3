import type { CommandParts } from './call-note.ts';
import type { DeployOptions } from './deploy.ts';
import { JSON_OPTION, text } from './options.ts';

/** Adds `deploy`, and `stop-task` as it was called before there was `tasks stop`. */
export function addDeployCommands({ program, calling, onEnd }: CommandParts): void {
  program
    .command('deploy')
    .description('bring a unit to what its tag means, or to another version')
    .argument('[unit]', 'with or without .service; none with --plan')
    .option('--to <version>', 'a tag, sha256:…, or an image that is held for the unit')
    .option('--dry-run', 'only tell what would be done; touches nothing')
    .option('--plan <id>', 'carry out what a dry run has told, if it would still be the same')
    .option('--reason <text>', 'why, for the record', text(500))
    .option('--follow', 'show how it goes, and end as the task does; so it is on a terminal')
    .option('--no-follow', 'only have it begun; so it is elsewhere')
    .option(...JSON_OPTION)
    .action(async (unit: string | undefined, options: DeployOptions) => {
      const { deploy } = await import('./deploy.ts');
      onEnd(await deploy(unit, options, calling));
    });
  program
    .command('stop-task')
    .description('the same as tasks stop')
    .argument('<id>')
    .option(...JSON_OPTION)
    .action(async (id: string, options: { json?: boolean }) => {
      const { commandTask } = await import('./tasks.ts');
      onEnd(await commandTask('stop', id, options, calling));
    });
}
