import { Command, CommanderError, Option } from 'commander';
import { PROGRAM } from '../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../shared/contract/exit-codes.ts';

/** How the program was started. */
export type Invocation = {
  /** The words behind the program's name. */
  readonly words: readonly string[];
  /** How this program is started again. */
  readonly program: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
};

/**
 * Every command but `supervise`, which must not load what the worker needs. Commands are loaded when they are called:
 * a task has no use for the HTTP framework, nor the worker for the registry client.
 */
export async function runApp({ words, program, environment }: Invocation): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const cli = new Command('pod-upgrade-trigger')
    .description(
      'Hears of a pushed image, proves it, and restarts exactly the Podman unit that runs it.',
    )
    .version(`${PROGRAM.version} (${PROGRAM.commit})`)
    .showHelpAfterError()
    .exitOverride();
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
    .action(async (options: { httpAddr?: string; listenFd?: number }) => {
      const { httpServer } = await import('./cli/http-server.ts');
      const { createWorker } = await import('./worker.ts');
      exitCode = await httpServer({ ...options, environment, program, createWorker });
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
  cli.addHelpText('after', `\nExit codes: ${describeExitCodes()}`);
  try {
    await cli.parseAsync(words.length === 0 ? ['--help'] : [...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 && words.length > 0 ? EXIT.ok : EXIT.usage;
  }
  return exitCode;
}

function describeExitCodes(): string {
  return Object.entries(EXIT)
    .map(([name, code]) => `${code} ${name}`)
    .join(', ');
}
