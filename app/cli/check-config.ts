import { loadSettings } from '../../shared/config/load-settings.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { printFaults } from './print-faults.ts';

/** `check-config`: says whether the configuration is valid, without starting anything. */
export function checkConfig(environment: NodeJS.ProcessEnv): ExitCode {
  const result = loadSettings(environment);
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  for (const warning of result.loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
  process.stdout.write(`The configuration is valid. State: ${result.loaded.paths.stateDir}\n`);
  return EXIT.ok;
}
