import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';

const CHECK = 'say whether the configuration of this environment is valid, every fault at once';

/** Adds `config`, and `check-config` as its part was called before. */
export function addConfigCommands({ program, calling, onEnd }: CommandParts): void {
  const { environment } = calling;
  const group = program.command('config').description('how the program is set up');
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
