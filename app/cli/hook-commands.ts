import type { Command } from 'commander';
import { SCHEMES, SOURCE_KINDS } from '../domain/sources/sources.ts';
import { HOOK_ACTIONS } from '../domain/stored-hook.ts';
import type { CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';
import type { HookOptions } from './stored-hooks.ts';

type Json = { readonly json?: boolean };

/** Adds `hooks` and what belongs to it. Each command is loaded when it is called. */
export function addHookCommands(parts: CommandParts): void {
  const { program, calling, onEnd } = parts;
  const group = program
    .command('hooks')
    .description('the webhooks by which units are updated, and who may send them');
  group
    .command('list')
    .description('where each has to go, and how the last of them came in')
    .option(...JSON_OPTION)
    .action(async (options: Json) => {
      const { listHooks } = await import('./hooks.ts');
      onEnd(await listHooks(options, calling));
    });
  group
    .command('show')
    .description('one hook: what it may report, when it was used, why it refused somebody last')
    .argument('<name>', 'as in the list')
    .option(...JSON_OPTION)
    .action(async (name: string, options: Json) => {
      const { showHook } = await import('./stored-hooks.ts');
      onEnd(await showHook(name, options, calling));
    });
  addDescribing(group, parts);
  addSecrets(group, parts);
  addSwitches(group, parts);
}

/** What both making and changing a hook take. */
function withDescription(command: Command): Command {
  return command
    .option(
      '--allow <pattern...>',
      'images that it may report, such as ghcr.io/acme/*, ghcr.io/acme/web:v1.* or any',
    )
    .option('--unit <unit...>', 'units that it may report for, or any that webhooks may deploy')
    .option('--from <network...>', 'where it may be called from, such as 192.0.2.0/24, or any')
    .option('--registry <host>', 'what units call the registry of the sender, or none')
    .option('--builds <image>', 'what a sender means that names no image, or none')
    .option('--action <word>', `what it leads to: ${HOOK_ACTIONS.join(' or ')}`)
    .option('--expires <when>', 'a span such as 90d, a moment of ISO 8601, or never')
    .option(...JSON_OPTION);
}

function addDescribing(group: Command, { calling, onEnd }: CommandParts): void {
  withDescription(
    group
      .command('create')
      .description('make a hook for a sender, and show its secret this once')
      .argument('<name>', 'small letters, digits and dashes; it stands in the URL')
      .requiredOption('--source <kind>', `who sends: ${SOURCE_KINDS.join(', ')}`)
      .option('--scheme <scheme>', `how the sender proves itself: ${SCHEMES.join(', ')}`),
  ).action(async (name: string, options: HookOptions) => {
    const { createHook } = await import('./stored-hooks.ts');
    onEnd(await createHook(name, options, calling));
  });
  withDescription(
    group
      .command('update')
      .description('change a hook; what is not named stays as it is')
      .argument('<name>', 'as in the list'),
  ).action(async (name: string, options: HookOptions) => {
    const { updateHook } = await import('./stored-hooks.ts');
    onEnd(await updateHook(name, options, calling));
  });
}

function addSecrets(group: Command, { calling, onEnd }: CommandParts): void {
  group
    .command('rotate')
    .description('make a new secret, and show it this once; the one before it stays live')
    .argument('<name>', 'as in the list')
    .option('--now', 'no other secret opens the hook from now on')
    .option(...JSON_OPTION)
    .action(async (name: string, options: Json & { readonly now?: boolean }) => {
      const { rotateHook } = await import('./stored-hooks.ts');
      onEnd(await rotateHook(name, options, calling));
    });
  group
    .command('revoke')
    .description('remove one secret of a hook')
    .argument('<name>', 'as in the list')
    .argument('<secret>', 'its id, as hooks show tells it')
    .option(...JSON_OPTION)
    .action(async (name: string, id: string, options: Json) => {
      const { revokeSecret } = await import('./stored-hooks.ts');
      onEnd(await revokeSecret(name, id, options, calling));
    });
}

function addSwitches(group: Command, { calling, onEnd }: CommandParts): void {
  for (const [word, about] of [
    ['enable', 'let deliveries in again'],
    ['disable', 'let nobody in until it is enabled'],
  ] as const) {
    group
      .command(word)
      .description(about)
      .argument('<name>', 'as in the list')
      .option(...JSON_OPTION)
      .action(async (name: string, options: Json) => {
        const { switchHook } = await import('./stored-hooks.ts');
        onEnd(await switchHook(name, word, options, calling));
      });
  }
  group
    .command('delete')
    .description('remove a hook and its secrets; what it has reported stays')
    .argument('<name>', 'as in the list')
    .option(...JSON_OPTION)
    .action(async (name: string, options: Json) => {
      const { deleteHook } = await import('./stored-hooks.ts');
      onEnd(await deleteHook(name, options, calling));
    });
}
