import type { Command } from 'commander';
import type { ExitCode } from '../../../shared/contract/exit-codes.ts';
import type { CommandParts } from '../call-note.ts';
import { JSON_OPTION, text, wholeNumber } from '../options.ts';
import type { RollbackOptions } from './rollback.ts';
import type { RunOptions } from './run.ts';
import type { UpdateCli } from './update-cli.ts';

type Act<O> = (cli: UpdateCli, options: O) => Promise<ExitCode>;

/** Adds `self-update` and what belongs to it. Each command is loaded when it is called. */
export function addUpdateCommands({ program, calling, onEnd }: CommandParts): void {
  const { environment } = calling;
  const group = program
    .command('self-update')
    .description('update this program itself, see how that goes, go back');
  const add = (usage: string, description: string) =>
    group
      .command(usage)
      .description(description)
      .option(...JSON_OPTION);
  /** What is called with options and, before them, one argument at most. */
  const carryOut = async <O>(options: O & { json?: boolean }, load: () => Promise<Act<O>>) => {
    const { withUpdateCli } = await import('./update-cli.ts');
    const act = await load();
    onEnd(await withUpdateCli(environment, options.json ?? false, (cli) => act(cli, options)));
  };
  addChanges(add, carryOut);
  add('check', 'look which release would be installed, and do nothing').action((options: object) =>
    carryOut(options, async () => (await import('./check.ts')).checkForRelease),
  );
  add('status', 'show what goes on, and what holds updates back').action((options: object) =>
    carryOut(options, async () => (await import('./status.ts')).showStatus),
  );
  add('explain', 'say in sentences what goes on and why (not) yet').action((options: object) =>
    carryOut(options, async () => (await import('./explain.ts')).explainUpdates),
  );
  add('history', 'list the updates that are over, and the versions to go back to')
    .option('--limit <number>', 'how many, the newest first', wholeNumber(1, 500), 20)
    .action((options: { limit: number }) =>
      carryOut(options, async () => (await import('./history.ts')).showHistory),
    );
}

type Add = (usage: string, description: string) => Command;
type CarryOut = <O>(options: O & { json?: boolean }, load: () => Promise<Act<O>>) => Promise<void>;

function addChanges(add: Add, carryOut: CarryOut): void {
  add('run', 'install the newest release')
    .option('--dry-run', 'download and verify, change nothing')
    .option('--tag <tag>', 'this release and no other', text(200))
    .option(
      '--force',
      'also when on hold, or when the release failed here, is older or runs already',
    )
    .option('--reason <words>', 'for the record', text(500))
    .option('--wait', 'follow it to its end')
    .action((options: RunOptions) =>
      carryOut(options, async () => (await import('./run.ts')).runUpdate),
    );
  add('rollback', 'put a former version back that is kept on this host')
    .argument('<version>', 'as self-update history lists it', text(100))
    .option('--restore-database', 'with its database: what was written since is lost')
    .option('--reason <words>', 'for the record', text(500))
    .option('--wait', 'follow it to its end')
    .action((version: string, options: Omit<RollbackOptions, 'version'>) =>
      carryOut({ ...options, version }, async () => (await import('./rollback.ts')).rollBack),
    );
  add('cancel', 'end the open update while nothing is exchanged yet')
    .option('--reason <words>', 'for the record', text(500))
    .action((options: { reason?: string }) =>
      carryOut(options, async () => (await import('./cancel.ts')).cancelUpdate),
    );
  add('hold', 'let no update begin')
    .option('--reason <words>', 'for the record', text(500))
    .action((options: { reason?: string }) =>
      carryOut(options, async () => (await import('./hold.ts')).holdUpdates),
    );
  add('resume', 'end the hold, and have an update that is held tried again').action(
    (options: object) => carryOut(options, async () => (await import('./resume.ts')).resumeUpdates),
  );
}
