import type { Command } from 'commander';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Calling } from './call-note.ts';
import { JSON_OPTION } from './options.ts';

/** `schedule list|run`. */
export function addScheduleCommands(
  cli: Command,
  calling: Calling,
  onEnd: (code: ExitCode) => void,
): void {
  const schedule = cli
    .command('schedule')
    .description('what begins by itself: when, and what came of it the last time');
  schedule
    .command('list')
    .description('all jobs with their last and their next run')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) => {
      const { listSchedule } = await import('./schedule.ts');
      onEnd(await listSchedule(options, calling));
    });
  schedule
    .command('run')
    .description('have the running service do a job now; its due times stay as they are')
    .argument('<job>', 'as in the list')
    .option('--reason <text>', 'why, for the record')
    .option(...JSON_OPTION)
    .action(async (job: string, options: { json?: boolean; reason?: string }) => {
      const { runScheduledJob } = await import('./schedule.ts');
      onEnd(await runScheduledJob(job, options, calling));
    });
}
