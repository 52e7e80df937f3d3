import type { Command } from 'commander';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Calling } from './call-note.ts';
import { JSON_OPTION, text, wholeNumber } from './options.ts';
import type { SchedulerOptions } from './scheduler.ts';

const YEAR_S = 31_536_000;

/** `schedule list|run`, and `scheduler`. */
export function addScheduleCommands(
  cli: Command,
  calling: Calling,
  program: readonly [string, ...string[]],
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
    .option('--reason <text>', 'why, for the record', text(500))
    .option(...JSON_OPTION)
    .action(async (job: string, options: { json?: boolean; reason?: string }) => {
      const { runScheduledJob } = await import('./schedule.ts');
      onEnd(await runScheduledJob(job, options, calling));
    });
  cli
    .command('scheduler')
    .description(
      'have units that ask for it updated at an interval, as a process of its own; the service does so by itself',
    )
    .option(
      '--interval, --interval-secs <seconds>',
      'instead of PODUP_SCHEDULER_INTERVAL_SECS',
      wholeNumber(1, YEAR_S),
    )
    .option('--max-iterations <number>', 'end after so many times', wholeNumber(1, 1_000_000_000))
    .action(async (options: SchedulerOptions) => {
      const { scheduler } = await import('./scheduler.ts');
      onEnd(await scheduler(options, calling, program));
    });
}
