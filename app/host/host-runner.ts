import { type RunCommand, runCommand } from '../../shared/process/run-command.ts';

/** Whose units are deployed: those of the user's own service manager, or those of the system (as root). */
export type SystemdScope = 'user' | 'system';

/**
 * Runs commands on the host whose units are deployed. Every command to the service manager is written with `--user` as
 * its first argument; here alone it becomes `--system`, so that none can be forgotten.
 */
export function createHostRunner(
  { systemdScope }: { readonly systemdScope: SystemdScope },
  run: RunCommand = runCommand,
): RunCommand {
  if (systemdScope === 'user') return run;
  return (command) => {
    const [file, first, ...rest] = command.argv;
    return run(first === '--user' ? { ...command, argv: [file, '--system', ...rest] } : command);
  };
}
