import { InvalidArgumentError } from 'commander';

/** What every command has that a program may read. */
export const JSON_OPTION = ['--json', 'for programs: one JSON object'] as const;

/** Reads a text of at most so many characters. */
export function text(max: number): (raw: string) => string {
  return (raw) => {
    if (raw.length >= 1 && raw.length <= max) return raw;
    throw new InvalidArgumentError(`Allowed: 1 to ${max} characters.`);
  };
}

/** Reads a whole number. */
export function wholeNumber(min: number, max: number): (raw: string) => number {
  return (raw) => {
    const value = Number(raw);
    if (/^\d+$/.test(raw) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Allowed: a whole number, ${min} to ${max}.`);
  };
}
