import { type Command, Option } from 'commander';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Calling, CommandParts } from './call-note.ts';
import { JSON_OPTION } from './options.ts';
import type { ListOptions, TaskCommand } from './tasks.ts';

/** Adds `tasks` and what belongs to it. Each is loaded when it is called. */
export function addTaskCommands({ program, calling, onEnd }: CommandParts): void {
  const group = program.command('tasks').description('see tasks, stop them, have them done anew');
  addList(group, calling, onEnd);
  const addOne = (name: string, about: string) =>
    group.command(name).description(about).argument('<id>');
  addOne('show', 'one task with the beginning of its log')
    .option(...JSON_OPTION)
    .action(async (id: string, options: { json?: boolean }) => {
      const { showTask } = await import('./tasks.ts');
      onEnd(await showTask(id, options, calling));
    });
  addOne(
    'follow',
    'show the log of a task as it is written, until its end, and end as the task did',
  )
    .option(...JSON_OPTION)
    .action(async (id: string, options: { json?: boolean }) => {
      const { followTask } = await import('./follow-task.ts');
      onEnd(await followTask(id, options, calling));
    });
  addOne('export', 'a whole task with all its log, on standard output')
    .addOption(
      new Option('--format <format>', 'what it is for').choices(['json', 'text']).default('text'),
    )
    .action(async (id: string, options: { format: string }) => {
      const { exportTask } = await import('./tasks.ts');
      onEnd(await exportTask(id, options, calling));
    });
  const addCommand = (command: TaskCommand, about: string) =>
    addOne(command, about)
      .option(...JSON_OPTION)
      .action(async (id: string, options: { json?: boolean; reason?: string }) => {
        const { commandTask } = await import('./tasks.ts');
        onEnd(await commandTask(command, id, options, calling));
      });
  addCommand('stop', 'end a task, its unit proven on the old or the new image');
  addCommand('force-stop', 'kill the processes of a task, whatever that leaves its unit in');
  addCommand('retry', 'do anew what a task that has ended was to do').option(
    '--reason <text>',
    'why, for the record',
  );
}

function addList(group: Command, calling: Calling, onEnd: (code: ExitCode) => void): void {
  group
    .command('list')
    .description('the tasks, newest first')
    .option('--status <names>', 'one or several, with commas between')
    .option('--kind <names>', 'one or several, with commas between')
    .option('--unit <unit>', 'with .service')
    .option('--unit-query <text>', 'a part of the name of the unit')
    .option('--query <text>', 'a part of summary, unit, image, error code, caller, reason or id')
    .option('--batch <id>', 'what was asked for in one call')
    .option('--retry-of <id>', 'what does that task anew')
    .option('--from <time>', 'made then or later: 2026-01-02T03:04:05Z')
    .option('--to <time>', 'made before then')
    .option('--limit <number>', 'how many, 1 to 500')
    .option('--cursor <cursor>', 'go on where a list has ended')
    .option(...JSON_OPTION)
    .action(async (options: ListOptions) => {
      const { listTasks } = await import('./tasks.ts');
      onEnd(await listTasks(options, calling));
    });
}
