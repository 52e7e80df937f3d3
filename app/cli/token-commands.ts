import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';
import type { CreateOptions } from './tokens.ts';

/** `tokens list|create|revoke`. */
export function addTokenCommands({ program, calling, onEnd }: CommandParts): void {
  const tokens = program
    .command('tokens')
    .description('tokens of the API: what each allows, making and revoking them');
  tokens
    .command('list')
    .description('all tokens, the newest first, and those of the settings')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { listTokens } = await import('./tokens.ts');
      onEnd(await listTokens(options, calling));
    });
  tokens
    .command('create')
    .description('make a token; it is printed this once')
    .argument('<name>', 'by which records name it')
    .requiredOption(
      '--scope <scope...>',
      'read, admin, deploy:*, or deploy:UNIT[,UNIT...]; may be given several times',
    )
    .option('--expires <span>', 'how long it is good, such as 90d; without it, until it is revoked')
    .option(...JSON_OPTION)
    .action(async (name: string, options: CreateOptions) => {
      const { createToken } = await import('./tokens.ts');
      onEnd(await createToken(name, options, calling));
    });
  tokens
    .command('revoke')
    .description('end a token and every session that was begun with it')
    .argument('<name>', 'as in the list')
    .option(...JSON_OPTION)
    .action(async (name: string, options: { json?: boolean }) => {
      const { revokeToken } = await import('./tokens.ts');
      onEnd(await revokeToken(name, options, calling));
    });
}
