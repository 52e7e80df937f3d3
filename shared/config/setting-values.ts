import { Cron, CronPattern } from 'croner';
import * as z from 'zod';
import { type GithubHook, parseGithubHook } from '../contract/github-hook.ts';
import { parseUnitName } from '../contract/unit-name.ts';
import { parseWithin } from './supervisor-settings.ts';

/** Reads a text with `parse`; undefined means that it is not allowed. */
export function parsed<T>(parse: (raw: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((raw, context) => {
    const value = parse(raw);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: 'not allowed' });
    return z.NEVER;
  });
}

/** What a secret may be. */
export const secretText = z.string().min(8).max(4096);
/** The same in words. */
export const SECRET_ALLOWED = '8 to 4096 characters';

/** What `parseFlag` takes. */
export const FLAG_ALLOWED = '1, true, yes, on or 0, false, no, off';

/** A whole number in decimal digits, from `min` to `max`. */
export function within(min: number, max: number): z.ZodType<number, string> {
  return parsed((raw) => parseWithin(raw, { min, max }));
}

/** Unit names separated by commas or white space, each once. */
export function parseUnits(raw: string): readonly string[] | undefined {
  const words = raw.split(/[\s,]+/).filter((word) => word !== '');
  const units = words.map(parseUnitName);
  return units.every((unit) => unit !== undefined) ? [...new Set(units)] : undefined;
}

/** How many hooks of GitHub may be named. */
const MAX_GITHUB_HOOKS = 100;

/** Hooks of GitHub separated by commas or white space, each once. */
export function parseGithubHooks(raw: string): readonly GithubHook[] | undefined {
  const words = new Set(raw.split(/[\s,]+/).filter((word) => word !== ''));
  const hooks = [...words].map(parseGithubHook);
  const isGood = hooks.length <= MAX_GITHUB_HOOKS && hooks.every((hook) => hook !== undefined);
  return isGood ? hooks : undefined;
}

/** `sqlite:///PATH` or a path; SQLite's own query options are not taken. */
export function parseDatabasePath(raw: string): string | undefined {
  const path = raw.replace(/^sqlite:(?:\/\/)?/, '');
  return path.startsWith('/') && !path.includes('?') ? path : undefined;
}

/** An absolute path without a final slash. */
export const absolutePath = parsed((raw) =>
  raw.startsWith('/') && !raw.includes('\0') ? raw.replace(/(?<=.)\/+$/, '') : undefined,
);

/** The words that people write for yes and no. */
export function parseFlag(raw: string): boolean | undefined {
  const word = raw.trim().toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(word)) return true;
  return ['0', 'false', 'no', 'off'].includes(word) ? false : undefined;
}

/** How schedules are read: a field for seconds may stand before the usual five. */
export const CRON_MODE = '5-or-6-parts';

/** A cron expression that comes at some time. */
export function parseCron(raw: string): string | undefined {
  const expression = raw.trim();
  try {
    // Only a pattern: a date would be taken as well, for once.
    new CronPattern(expression, undefined, { mode: CRON_MODE });
    const job = new Cron(expression, { mode: CRON_MODE, paused: true });
    return job.nextRun() ? expression : undefined;
  } catch {
    return undefined;
  }
}

/** What `parseSchedule` takes. */
export const SCHEDULE_ALLOWED = 'a cron expression with five or six fields, or off';

/** The same, or `off`. */
export function parseSchedule(raw: string): string | undefined {
  return raw.trim() === 'off' ? 'off' : parseCron(raw);
}

/** Programs are not fetched in the clear, but from this very host. */
export function parseWebUrl(raw: string): string | undefined {
  const url = URL.parse(raw);
  if (!url || url.username || url.password || url.search || url.hash) return undefined;
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) return undefined;
  return url.href.replace(/\/+$/, '');
}

/** A mirror (URL without a final slash) or a folder (absolute path). */
export function parseReleaseBase(raw: string): string | undefined {
  const isFileUrl = raw.startsWith('file://');
  if (!isFileUrl && !raw.startsWith('/')) return parseWebUrl(raw);
  const path = isFileUrl ? parseFileUrl(raw) : raw;
  return path?.includes('\0') ? undefined : path?.replace(/(?<=.)\/+$/, '');
}

function parseFileUrl(raw: string): string | undefined {
  const url = URL.parse(raw);
  if (url?.host !== '' || url.search || url.hash) return undefined;
  try {
    return decodeURIComponent(url.pathname);
  } catch {
    // A percent sign that begins no letter.
    return undefined;
  }
}

/** A key by which a release may be signed. */
export type PublicKey = { readonly id: string; readonly base64: string };

/** `ID:KEY` pairs, each id once. */
export function parsePublicKeys(raw: string): readonly PublicKey[] | undefined {
  const words = raw.split(/\s+/).filter((word) => word !== '');
  const keys = words.map((word) => {
    const [, id, base64] = /^([\w.-]{1,64}):([A-Za-z0-9+/]{43}=)$/.exec(word) ?? [];
    return id !== undefined && base64 !== undefined ? { id, base64 } : undefined;
  });
  if (!keys.every((key) => key !== undefined)) return undefined;
  return new Set(keys.map(({ id }) => id)).size === keys.length ? keys : undefined;
}
