import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';
import type { ConfigOptions } from './show-config.ts';

const CHECK = 'say whether the configuration of this environment is valid, every fault at once';

/** Adds `config`, and `check-config` as its part was called before. */
export function addConfigCommands({ program, calling, onEnd }: CommandParts): void {
  const { environment } = calling;
  const group = program.command('config').description('how the program is set up');
  group
    .command('show')
    .description(
      'every setting that holds, and where it comes from; of secrets only whether there is one',
    )
    .option('--changed', 'only what somebody has set')
    .option(...JSON_OPTION)
    .action(async (options: ConfigOptions) => {
      const { showConfig } = await import('./show-config.ts');
      onEnd(await showConfig(options, calling));
    });
  const check = async (options: { json?: boolean }) => {
    const { checkConfig } = await import('./check-config.ts');
    onEnd(checkConfig(options, environment));
  };
  group
    .command('check')
    .description(CHECK)
    .option(...JSON_OPTION)
    .action(check);
  program
    .command('check-config')
    .description('the same as config check')
    .option(...JSON_OPTION)
    .action(check);
}
