import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandParts } from '../call-note.ts';
import { JSON_OPTION } from '../options.ts';
import type { ExportOptions } from './export.ts';
import type { ListOptions } from './list.ts';

/** Adds `events` and what belongs to it. Each command is loaded when it is called. */
export function addEventCommands({ program, calling, onEnd }: CommandParts): void {
  const group = program
    .command('events')
    .description('the log of everything that was asked and that happened');
  withFilters(group.command('list').description('show events, the newest first'))
    .option('--limit <number>', 'how many', '50')
    .option('--cursor <id>', 'go on below this id')
    .option(...JSON_OPTION)
    .action(async (options: ListOptions) => {
      const { showEvents } = await import('./list.ts');
      onEnd(await showEvents(options, calling));
    });
  withFilters(group.command('export').description('write events, the newest first'))
    .addOption(
      new Option('--format <format>', 'JSON lines or CSV')
        .choices(['jsonl', 'csv'])
        .makeOptionMandatory(),
    )
    .option('--output <file>', 'a new file, readable by its owner only; else standard output')
    .action(async (options: ExportOptions) => {
      const { exportToFile } = await import('./export.ts');
      onEnd(await exportToFile(options, calling));
    });
  group
    .command('verify')
    .description('look whether the log is as it was written')
    .option('--head <hash>', 'a head that was noted earlier must still be in it', hash)
    .option(...JSON_OPTION)
    .action(async (options: { head?: string; json?: boolean }) => {
      const { verifyLog } = await import('./verify.ts');
      onEnd(await verifyLog(options, calling.environment));
    });
}

function withFilters(command: Command): Command {
  return command
    .option('--action <word>', 'such as github-webhook, tasks-api, cli-deploy, scheduler')
    .option('--status <status>', 'such as 404, or a class such as 4xx')
    .option('--method <method>', 'of HTTP, or CLI, or SYSTEM')
    .option('--request <id>', 'of one request')
    .option('--task <id>', 'that made or touched this task')
    .option('--actor <name>', 'such as admin, github, uid 1000')
    .option('--path <path>', 'that begin like this')
    .option('--from <time>', 'from this time on (ISO 8601)')
    .option('--to <time>', 'before this time (ISO 8601)');
}

function hash(raw: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(raw)) return raw.toLowerCase();
  throw new InvalidArgumentError('Allowed: 64 hexadecimal digits.');
}
