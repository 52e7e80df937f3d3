import { loadSettings } from '../../shared/config/load-settings.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { print, printJson } from './output/say.ts';
import { printFaults } from './print-faults.ts';

/** `config check`: says whether the configuration is valid, without starting anything. */
export function checkConfig(
  { json }: { readonly json?: boolean },
  environment: NodeJS.ProcessEnv,
): ExitCode {
  const result = loadSettings(environment);
  if (!result.ok) {
    const { faults } = result;
    if (json) printJson({ valid: false, state_dir: null, faults, warnings: [] });
    printFaults(faults);
    return EXIT.configInvalid;
  }
  const { warnings, paths } = result.loaded;
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  if (json) printJson({ valid: true, state_dir: paths.stateDir, faults: [], warnings });
  else print(`The configuration is valid. State: ${paths.stateDir}`);
  return EXIT.ok;
}
