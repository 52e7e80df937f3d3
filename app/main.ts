import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { PROGRAM } from '../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../shared/contract/exit-codes.ts';
import type { Outcome } from '../shared/contract/outcome.ts';
import { addAttentionCommands } from './cli/attention-commands.ts';
import { addBackupCommands } from './cli/backup-commands.ts';
import type { Calling, CallNote } from './cli/call-note.ts';
import { addCheckCommands } from './cli/check-commands.ts';
import type { DeployOptions } from './cli/deploy.ts';
import { addEventCommands } from './cli/events/commands.ts';
import type { PruneOptions } from './cli/prune-state.ts';
import { addQuarantineCommands } from './cli/quarantine-commands.ts';
import type { Call } from './cli/record-call.ts';
import { addScheduleCommands } from './cli/schedule-commands.ts';
import { addUpdateCommands } from './cli/self-update/commands.ts';
import type { LocalService } from './cli/service/question.ts';
import { addTaskCommands } from './cli/task-commands.ts';

/** How the program was started. */
export type Invocation = {
  /** The words behind the program's name. */
  readonly words: readonly string[];
  /** How this program is started again. */
  readonly program: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** Loads the other half, for a self-check of the whole. */
  readonly loadSupervisor: () => Promise<unknown>;
};

/**
 * Commands that are no calls of a person: processes that serve or work, whose doings are events of their own; helpers
 * of the supervisor, before which the database may be another one; and the one that only reads the environment.
 */
const OWN_PROCESSES: ReadonlySet<string> = new Set([
  ...['http-server', 'run-task', 'intake'],
  ...['stage-release', 'db-backup', 'db-inspect', 'post-update-check', 'self-check'],
  'check-config',
]);

/**
 * Every command but `supervise`, which must not load what the worker needs. Commands are loaded when they are called:
 * a task has no use for the HTTP framework, nor the worker for the registry client.
 */
export async function runApp(invocation: Invocation): Promise<ExitCode> {
  const { words, program, environment, loadSupervisor } = invocation;
  let exitCode: ExitCode = EXIT.ok;
  const note: CallNote = {};
  let call: Call | undefined;
  let running: Command | undefined;
  let local: Promise<Outcome<LocalService>> | undefined;
  const cli = new Command('pod-upgrade-trigger')
    .description(
      'Hears of a pushed image, proves it, and restarts exactly the Podman unit that runs it.',
    )
    .version(`${PROGRAM.version} (${PROGRAM.commit})`)
    .showHelpAfterError()
    .exitOverride()
    .hook('preAction', (_program, command) => {
      running = command;
      if (!OWN_PROCESSES.has(command.name())) {
        call = { command, startedMs: performance.now(), note };
      }
    });
  cli
    .command('supervise')
    .description(
      'hold the listening socket and keep a worker alive on it; the usual way to run this',
    )
    .argument('[command...]', 'behind --: another program to supervise in place of the worker');
  cli
    .command('http-server')
    .alias('server')
    .description('serve HTTP without a supervisor')
    .option('--http-addr <address:port>', 'where to listen, instead of PODUP_HTTP_ADDR')
    .addOption(new Option('--listen-fd <number>').hideHelp().argParser(Number))
    .addOption(new Option('--trial').hideHelp())
    .action(async (options: { httpAddr?: string; listenFd?: number; trial?: boolean }) => {
      const { httpServer } = await import('./cli/http-server.ts');
      const { startWorker } = await import('./worker.ts');
      exitCode = await httpServer({ ...options, environment, program, startWorker });
    });
  cli
    .command('run-task')
    .description('carry out one task that the worker has dispatched')
    .argument('<id>')
    .argument('<attempt>', 'the number of the attempt that it was dispatched for', Number)
    .action(async (id: string, attempts: number) => {
      const { runTaskCommand } = await import('./cli/run-task-command.ts');
      exitCode = await runTaskCommand({ id, attempts }, environment);
    });
  cli
    .command('check-config')
    .description('say whether the configuration is valid, every fault at once')
    .action(async () => {
      const { checkConfig } = await import('./cli/check-config.ts');
      exitCode = checkConfig(environment);
    });
  const onEnd = (code: ExitCode) => {
    exitCode = code;
  };
  const calling: Calling = {
    environment,
    note,
    isJson: () => running?.opts()['json'] === true,
    openLocal: (loaded) => {
      local ??= import('./local-service.ts').then(({ openLocalService }) =>
        openLocalService({ loaded, environment, program }),
      );
      return local;
    },
  };
  addDeployCommands(cli, calling, onEnd);
  addTaskCommands(cli, calling, onEnd);
  addEventCommands({ program: cli, calling, onEnd });
  addQuarantineCommands({ program: cli, calling, onEnd });
  const units = cli.command('units').description('the units, and what registries have for them');
  addCheckCommands(units, calling, onEnd);
  addScheduleCommands(cli, calling, onEnd);
  addAttentionCommands(cli, calling, onEnd);
  cli
    .command('prune-state')
    .description(
      'remove what is older than it is kept for, besides what is removed on the schedule',
    )
    .option(
      '--max-age-hours <number>',
      'how old may be what is of use for hours only',
      readMaxAgeHours,
      24,
    )
    .option('--dry-run', 'only say how much would be removed')
    .option('--json', 'for programs: one JSON object')
    .action(async (options: PruneOptions) => {
      const { pruneStateCommand } = await import('./cli/prune-state.ts');
      onEnd(await pruneStateCommand(options, environment));
    });
  addBackupCommands(cli, environment, onEnd);
  addUpdateCommands({ program: cli, environment, onEnd });
  cli
    .command('intake', { hidden: true })
    .requiredOption('--listen-fd <number>', 'the listening socket', Number)
    .action(async ({ listenFd }: { listenFd: number }) => {
      const { intake } = await import('./cli/intake.ts');
      const { createStandby } = await import('./standby/create-standby.ts');
      exitCode = await intake({ listenFd, environment, createStandby });
    });
  cli.command('stage-release', { hidden: true }).action(async () => {
    const { stageReleaseCommand } = await import('./cli/stage-release.ts');
    exitCode = await stageReleaseCommand(environment);
  });
  cli
    .command('db-backup', { hidden: true })
    .argument('<file>')
    .action(async (file: string) => {
      const { databaseBackup } = await import('./cli/database-helpers.ts');
      exitCode = await databaseBackup(file, environment);
    });
  cli
    .command('db-inspect', { hidden: true })
    .argument('[file]')
    .action(async (file?: string) => {
      const { databaseInspect } = await import('./cli/database-helpers.ts');
      exitCode = databaseInspect(file, environment);
    });
  cli
    .command('post-update-check', { hidden: true })
    .option('--expect <digest>')
    .action(async ({ expect }: { expect?: string }) => {
      const { postUpdateCheck } = await import('./cli/post-update-check.ts');
      exitCode = await postUpdateCheck(expect, environment);
    });
  cli.command('self-check', { hidden: true }).action(async () => {
    const { selfCheck } = await import('./cli/self-check.ts');
    const load = async () => {
      await Promise.all([loadSupervisor(), loadHelpers()]);
      return import('./worker.ts');
    };
    exitCode = await selfCheck({ program, load });
  });
  cli.addHelpText('after', `\nExit codes: ${describeExitCodes()}`);
  try {
    await cli.parseAsync(readWords(words), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 && words.length > 0 ? EXIT.ok : EXIT.usage;
    }
    exitCode = EXIT.failure;
    throw error;
  } finally {
    const opened = await local;
    if (opened?.ok) await opened.value.close();
    if (call) {
      const { recordCall } = await import('./cli/record-call.ts');
      recordCall(call, exitCode, environment);
    }
  }
  return exitCode;
}

function addDeployCommands(cli: Command, calling: Calling, onEnd: (code: ExitCode) => void): void {
  cli
    .command('deploy')
    .description(
      'have the running service bring a unit to what its tag means, or to another version',
    )
    .argument('[unit]')
    .option('--to <version>', 'a tag, sha256:…, or an image that is held for the unit')
    .option('--dry-run', 'only tell what would be done; touches nothing')
    .option('--plan <id>', 'carry out what a dry run has told, if it would still be the same')
    .option('--reason <text>', 'why, for the record')
    .option('--json', 'for programs: one JSON object')
    .action(async (unit: string | undefined, options: DeployOptions) => {
      const { deploy } = await import('./cli/deploy.ts');
      onEnd(await deploy(unit, options, calling));
    });
  cli
    .command('stop-task')
    .description('the same as tasks stop')
    .argument('<id>')
    .action(async (id: string) => {
      const { commandTask } = await import('./cli/tasks.ts');
      onEnd(await commandTask('stop', id, {}, calling));
    });
}

function readMaxAgeHours(text: string): number {
  const hours = Number(text);
  if (hours > 0 && hours <= 876_600) return hours;
  throw new InvalidArgumentError('It is a number above 0, 876600 at most.');
}

/** What stands by the supervisor in an update: without them a release could not be replaced, nor taken back. */
function loadHelpers(): Promise<unknown> {
  return Promise.all([
    import('./cli/http-server.ts'),
    import('./cli/intake.ts'),
    import('./standby/create-standby.ts'),
    import('./cli/stage-release.ts'),
    import('./cli/database-helpers.ts'),
    import('./cli/post-update-check.ts'),
  ]);
}

/** A candidate is asked with an option: of a program that knows no such command that is a usage error at once. */
function readWords([first = '--help', ...rest]: readonly string[]): string[] {
  return [first === '--self-check' ? 'self-check' : first, ...rest];
}

function describeExitCodes(): string {
  return Object.entries(EXIT)
    .map(([name, code]) => `${code} ${name}`)
    .join(', ');
}
