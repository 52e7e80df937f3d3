import { Option } from 'commander';
import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { TaskRun } from '../db/tasks.ts';
import type { WorkerParts, WorkerProcess } from '../worker.ts';
import type { CommandParts } from './call-note.ts';
import type { IntakeOptions } from './intake.ts';

/** What commands are made of that are no calls of a person. */
export type ProcessParts = CommandParts & {
  /** How this program is started again. */
  readonly argv: readonly [string, ...string[]];
  readonly loadWorker: () => Promise<{
    startWorker(parts: WorkerParts): Promise<Outcome<WorkerProcess>>;
  }>;
  readonly loadStandby: () => Promise<Pick<IntakeOptions, 'createStandby'>>;
  /** Loads the other half, for a self-check of the whole. */
  readonly loadSupervisor: () => Promise<unknown>;
  /** Loads what carries out a task, which is built as a file of its own. */
  readonly loadTask: () => Promise<{
    runTaskCommand(attempt: TaskRun, environment: NodeJS.ProcessEnv): Promise<ExitCode>;
  }>;
};

/**
 * Processes that serve or work, whose doings are events of their own, and helpers of the supervisor, before which the
 * database may be another one: none of them is recorded as a call.
 */
export const OWN_PROCESSES: ReadonlySet<string> = new Set([
  ...['http-server', 'scheduler', 'run-task', 'intake'],
  ...['stage-release', 'db-backup', 'db-inspect', 'post-update-check', 'self-check'],
]);

/** Adds what serves: `supervise`, `http-server`, `run-task`. */
export function addServingCommands(parts: ProcessParts): void {
  const { program, calling, onEnd, argv, loadWorker, loadTask } = parts;
  const { environment } = calling;
  program
    .command('supervise')
    .description(
      'hold the listening socket and keep a worker alive on it; the usual way to run this',
    )
    .argument('[command...]', 'behind --: another program to supervise in place of the worker');
  program
    .command('http-server')
    .alias('server')
    .description('serve HTTP without a supervisor')
    .option('--http-addr <address:port>', 'where to listen, instead of PODUP_HTTP_ADDR')
    .addOption(new Option('--listen-fd <number>').hideHelp().argParser(Number))
    .addOption(new Option('--trial').hideHelp())
    .action(async (options: { httpAddr?: string; listenFd?: number; trial?: boolean }) => {
      const { httpServer } = await import('./http-server.ts');
      const { startWorker } = await loadWorker();
      onEnd(await httpServer({ ...options, environment, program: argv, startWorker }));
    });
  program
    .command('run-task')
    .description('carry out one task that the worker has dispatched')
    .argument('<id>')
    .argument('<attempt>', 'the number of the attempt that it was dispatched for', Number)
    .action(async (id: string, attempts: number) => {
      const { runTaskCommand } = await loadTask();
      onEnd(await runTaskCommand({ id, attempts }, environment));
    });
}

/** Adds what the supervisor calls. */
export function addHelperCommands(parts: ProcessParts): void {
  const { program, calling, onEnd, argv, loadWorker, loadStandby, loadSupervisor } = parts;
  const { environment } = calling;
  const add = (name: string) => program.command(name, { hidden: true });
  add('intake')
    .requiredOption('--listen-fd <number>', 'the listening socket', Number)
    .action(async ({ listenFd }: { listenFd: number }) => {
      const { intake } = await import('./intake.ts');
      const { createStandby } = await loadStandby();
      onEnd(await intake({ listenFd, environment, createStandby }));
    });
  add('stage-release').action(async () => {
    const { stageReleaseCommand } = await import('./stage-release.ts');
    onEnd(await stageReleaseCommand(environment));
  });
  add('db-backup')
    .argument('<file>')
    .action(async (file: string) => {
      const { databaseBackup } = await import('./database-helpers.ts');
      onEnd(await databaseBackup(file, environment));
    });
  add('db-inspect')
    .argument('[file]')
    .action(async (file?: string) => {
      const { databaseInspect } = await import('./database-helpers.ts');
      onEnd(databaseInspect(file, environment));
    });
  add('post-update-check')
    .option('--expect <digest>')
    .action(async ({ expect }: { expect?: string }) => {
      const { postUpdateCheck } = await import('./post-update-check.ts');
      onEnd(await postUpdateCheck(expect, environment));
    });
  add('self-check').action(async () => {
    const { selfCheck } = await import('./self-check.ts');
    const load = async () => {
      await Promise.all([loadSupervisor(), loadHelpers(), loadStandby()]);
      return loadWorker();
    };
    onEnd(await selfCheck({ program: argv, load }));
  });
}

/** What stands by the supervisor in an update: without them a release could not be replaced, nor taken back. */
function loadHelpers(): Promise<unknown> {
  return Promise.all([
    import('./http-server.ts'),
    import('./intake.ts'),
    import('./stage-release.ts'),
    import('./database-helpers.ts'),
    import('./post-update-check.ts'),
  ]);
}
