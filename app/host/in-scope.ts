import type { RunCommand } from '../../shared/process/run-command.ts';

/** Whose units are deployed: those of the user's own service manager, or those of the system (as root). */
export type SystemdScope = 'user' | 'system';

/**
 * Every command to the service manager is written with `--user` as its first argument; here alone it becomes `--system`
 * where the units are the system's, so that none can be forgotten.
 */
export function inScope(run: RunCommand, scope: SystemdScope): RunCommand {
  if (scope === 'user') return run;
  return (command) => {
    const [file, first, ...rest] = command.argv;
    return run(first === '--user' ? { ...command, argv: [file, '--system', ...rest] } : command);
  };
}
