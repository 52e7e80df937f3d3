import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { type Failure, formatFailure } from '../../../shared/contract/outcome.ts';
import { viewFailure } from '../../api/problem.ts';

/** Prints one line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints lines in which others have a say: without what would move the cursor of a terminal. */
export function printForeign(text: string): void {
  print(text.replaceAll(/[^\P{Cc}\n\t]/gu, ' '));
}

/** Prints what a program reads: one JSON object. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Says why it could not be done: to a person on standard error, to a program also as its one JSON object. */
export function sayFailure(failure: Failure, isJson = false): ExitCode {
  if (isJson) printJson({ failure: viewFailure(failure) });
  process.stderr.write(`${formatFailure(failure)}\n`);
  return EXIT.failure;
}
