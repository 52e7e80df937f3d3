import type { CommandParts } from '../call-note.ts';
import { JSON_OPTION, text } from '../options.ts';

/** Adds `deliveries` and what belongs to it. Each command is loaded when it is called. */
export function addDeliveryCommands({ program, calling, onEnd }: CommandParts): void {
  const deliveries = program
    .command('deliveries')
    .description('webhooks that came in, what was made of them, and pushes without one');
  deliveries
    .command('list')
    .description('those that were let in, newest first')
    .option('--hook <name>', 'of that hook', text(200))
    .option('--source <kind>', 'of that kind of sender: github, gitea, …', text(200))
    .option('--unit <unit>', 'for that unit', text(255))
    .option('--verdict <verdict>', 'accepted, ignored, duplicate or ping', text(200))
    .option('--reason <reason>', 'ignored for that reason', text(200))
    .option('--from <time>', 'received then or later', text(100))
    .option('--to <time>', 'received before', text(100))
    .option('--limit <count>', 'so many, 500 at most', '50')
    .option('--cursor <cursor>', 'the next page', text(200))
    .option(...JSON_OPTION)
    .action(async (options) => {
      const { listDeliveries } = await import('./list.ts');
      onEnd(await listDeliveries(options, calling));
    });
  deliveries
    .command('show')
    .description('one of them with everything that is kept of it')
    .argument('<id>', 'as in the list', text(100))
    .option(...JSON_OPTION)
    .action(async (id: string, options) => {
      const { showDelivery } = await import('./show.ts');
      onEnd(await showDelivery(id, options, calling));
    });
  deliveries
    .command('replay')
    .description('do one anew, from the bytes that came')
    .argument('<id>', 'as in the list', text(100))
    .option(...JSON_OPTION)
    .action(async (id: string, options) => {
      const { replayDelivery } = await import('./replay.ts');
      onEnd(await replayDelivery(id, options, calling));
    });
  for (const [name, description] of [
    ['refused', 'those that were refused, of each address those of a minute'],
    ['missed', 'pushes that no delivery has told of, and what deploys them'],
  ] as const) {
    deliveries
      .command(name)
      .description(description)
      .option('--limit <count>', 'so many, 500 at most', '50')
      .option('--cursor <cursor>', 'the next page', text(200))
      .option(...JSON_OPTION)
      .action(async (options) => {
        const lists = await import('./list.ts');
        const show = name === 'refused' ? lists.listRefused : lists.listMissed;
        onEnd(await show(options, calling));
      });
  }
}
