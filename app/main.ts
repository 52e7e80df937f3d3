import { Command, CommanderError } from 'commander';
import { PROGRAM } from '../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../shared/contract/exit-codes.ts';
import type { Outcome } from '../shared/contract/outcome.ts';
import { addAttentionCommands } from './cli/attention-commands.ts';
import { addBackupCommands } from './cli/backup-commands.ts';
import type { Calling, CallNote } from './cli/call-note.ts';
import { addCheckCommands } from './cli/check-commands.ts';
import { addCompletionCommand } from './cli/completion/commands.ts';
import { addConfigCommands } from './cli/config-commands.ts';
import { addDeliveryCommands } from './cli/deliveries/commands.ts';
import { addDeployCommands } from './cli/deploy-commands.ts';
import { addDoctorCommand } from './cli/doctor/commands.ts';
import { addEventCommands } from './cli/events/commands.ts';
import { addExitHelp } from './cli/exit-help.ts';
import { addHookCommands } from './cli/hook-commands.ts';
import { addLimitCommands } from './cli/limit-commands.ts';
import {
  addHelperCommands,
  addServingCommands,
  OWN_PROCESSES,
  type ProcessParts,
} from './cli/process-commands.ts';
import { addPruneCommand } from './cli/prune-command.ts';
import { addQuarantineCommands } from './cli/quarantine-commands.ts';
import type { Call } from './cli/record-call.ts';
import { addScheduleCommands } from './cli/schedule-commands.ts';
import { addUpdateCommands } from './cli/self-update/commands.ts';
import type { LocalService } from './cli/service/question.ts';
import { addTaskCommands } from './cli/task-commands.ts';
import { addTokenCommands } from './cli/token-commands.ts';
import { addTriggerCommands } from './cli/trigger-commands.ts';
import { addUnitCommands } from './cli/unit-commands.ts';

/** How the program was started. */
export type Invocation = {
  /** The words behind the program's name. */
  readonly words: readonly string[];
  /** How this program is started again. */
  readonly program: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** Loads the other half, for a self-check of the whole. */
  readonly loadSupervisor: () => Promise<unknown>;
  readonly loadTask: ProcessParts['loadTask'];
};

/** What a run of the program has come to. */
type Run = {
  exitCode: ExitCode;
  readonly note: CallNote;
  /** The command that was begun, and when. */
  begun?: { readonly command: Command; readonly startedMs: number };
  local?: Promise<Outcome<LocalService>>;
};

/**
 * Every command but `supervise`, which must not load what the worker needs. Commands are loaded when they are called:
 * a task has no use for the HTTP framework, nor the worker for the registry client.
 */
export async function runApp(invocation: Invocation): Promise<ExitCode> {
  const run: Run = { exitCode: EXIT.ok, note: {} };
  const cli = buildProgram(invocation, run);
  const { words, environment } = invocation;
  try {
    await cli.parseAsync(readWords(words, cli), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 && words.length > 0 ? EXIT.ok : EXIT.usage;
    }
    run.exitCode = EXIT.failure;
    throw error;
  } finally {
    const opened = await run.local;
    if (opened?.ok) await opened.value.close();
    const call = findCall(run);
    if (call) {
      const { recordCall } = await import('./cli/record-call.ts');
      recordCall(call, run.exitCode, environment);
    }
  }
  return run.exitCode;
}

/** Whoever read what is printed has seen enough, as `head` does: that is no failure of the command. */
function endUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
}

/** The tree of all commands; nothing that they need is loaded yet. */
export function buildProgram(
  { program: argv, environment, loadSupervisor, loadTask }: Omit<Invocation, 'words'>,
  run: Run = { exitCode: EXIT.ok, note: {} },
): Command {
  const program = new Command('pod-upgrade-trigger')
    .description(
      'Hears of a pushed image, proves it, and restarts exactly the Podman unit that runs it.',
    )
    .version(`${PROGRAM.version} (${PROGRAM.commit})`)
    .showHelpAfterError()
    .exitOverride()
    .hook('preAction', (_program, command) => {
      run.begun = { command, startedMs: performance.now() };
      if (!OWN_PROCESSES.has(command.name())) process.stdout.on('error', endUnread);
    });
  const onEnd = (code: ExitCode) => {
    run.exitCode = code;
  };
  const calling: Calling = {
    environment,
    note: run.note,
    isJson: () => run.begun?.command.opts()['json'] === true,
    openLocal: (loaded) => {
      run.local ??= import('./local-service.ts').then(({ openLocalService }) =>
        openLocalService({ loaded, environment, program: argv }),
      );
      return run.local;
    },
  };
  const parts = { program, calling, onEnd };
  const processes = {
    ...{ ...parts, argv, loadSupervisor, loadTask },
    loadWorker: () => import('./worker.ts'),
    loadStandby: () => import('./standby/create-standby.ts'),
  };
  addServingCommands(processes);
  addDeployCommands(parts);
  addTriggerCommands(parts);
  addTaskCommands(parts);
  addEventCommands(parts);
  addQuarantineCommands(parts);
  addLimitCommands(parts);
  const units = program
    .command('units')
    .description('the units, and what registries have for them');
  addUnitCommands(units, calling, onEnd);
  addCheckCommands(units, calling, onEnd);
  addScheduleCommands(program, calling, argv, onEnd);
  addAttentionCommands(parts);
  addDeliveryCommands(parts);
  addPruneCommand(parts);
  addBackupCommands(parts);
  addUpdateCommands(parts);
  addHookCommands(parts);
  addTokenCommands(parts);
  addConfigCommands(parts);
  addDoctorCommand(parts);
  addCompletionCommand(parts);
  addHelperCommands(processes);
  addExitHelp(program);
  return program;
}

/** What only reads the environment, or answers a shell, is no call to be recorded either. */
const UNRECORDED: ReadonlySet<string> = new Set([...OWN_PROCESSES, 'check-config', 'completion']);

function findCall({ begun, note }: Run): Call | undefined {
  if (!begun || UNRECORDED.has(begun.command.name())) return undefined;
  return begun.command.parent?.name() === 'config' ? undefined : { ...begun, note };
}

/**
 * A command may stand with dashes before it, as `--self-check` does: of a program that knows no such command that is a usage
 * error at once.
 */
function readWords([first = '--help', ...rest]: readonly string[], cli: Command): string[] {
  const bare = first.replace(/^-+/, '').toLowerCase();
  if (bare === 'version') return ['--version', ...rest];
  const isKnown = cli.commands.some((one) => one.name() === bare || one.aliases().includes(bare));
  return [isKnown ? bare : first, ...rest];
}
