import { ERRORS } from '../../shared/contract/error-codes.ts';

/** Every fault of the configuration at once, one a line, for a person who starts the program. */
export function printFaults(faults: readonly string[]): void {
  const { sentence, hint } = ERRORS.CONFIG_INVALID;
  process.stderr.write(`CONFIG_INVALID: ${sentence} ${hint}\n`);
  for (const fault of faults) process.stderr.write(`  ${fault}\n`);
}
