import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProgramPaths } from '../../shared/contract/state-paths.ts';

/** Subcommands of the children that work for an update. */
const HELPERS: ReadonlySet<string> = new Set([
  ...['stage-release', '--self-check', 'self-check'],
  ...['db-backup', 'db-inspect', 'post-update-check'],
]);

/** The processes of an installation by what they do. */
export type Found = {
  readonly workers: readonly number[];
  readonly helpers: readonly number[];
};

/** Looks which processes there are whose program lies in the folder of this one. */
export function findByRole({ target }: ProgramPaths): Found {
  const found = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const words = readCommand(name).split('\0');
    const at = words.findIndex((word) => word.startsWith(`${dirname(target)}/`));
    return at < 0 ? [] : [{ pid: Number(name), role: words[at + 1] ?? '' }];
  });
  const withRole = (isWanted: (role: string) => boolean) =>
    found.filter(({ role }) => isWanted(role)).map(({ pid }) => pid);
  return {
    workers: withRole((role) => role === 'http-server'),
    helpers: withRole((role) => HELPERS.has(role)),
  };
}

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It ended while we looked.
    return '';
  }
}
