import type * as z from 'zod';
import { within } from './setting-values.ts';

/** One environment variable: how it is read, what it means, and what a fault says is allowed. */
export type Setting<T> = {
  readonly variable: `PODUP_${string}`;
  readonly schema: z.ZodType<T, string>;
  /** The text that stands for an unset variable; absent where unset means "none". */
  readonly fallback?: string;
  readonly allowed: string;
  readonly about: string;
  /** Read from NAME, NAME_FILE or the systemd credential NAME; never printed. */
  readonly secret?: true;
};

/** A setting in milliseconds, with its range. */
export function milliseconds(
  variable: `PODUP_${string}`,
  range: { fallback: number; min: number; max: number },
  about: string,
): Setting<number> {
  return {
    variable,
    schema: within(range.min, range.max),
    fallback: String(range.fallback),
    allowed: `milliseconds, ${range.min} to ${range.max}`,
    about,
  };
}
