import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { programPaths } from '../../../shared/contract/state-paths.ts';
import { removeDurably } from '../../../shared/fs/durable-file.ts';

import { noteOf } from './partial-file.ts';

/** The name under which a dry run does what it does; nothing is left of it. */
export function dryRunTarget(target: string): string {
  return `${target}.dry-run`;
}

/** Removes what a dry run has made, or would have if it had not been killed. */
export function removeDryRun(target: string): void {
  const base = dryRunTarget(target);
  remove([base, ...stagingFiles(base)]);
}

/** Removes whatever staging has left beside the program: nothing of it is wanted any more. */
export function removeStaged(target: string): void {
  remove(stagingFiles(target));
  removeDryRun(target);
}

function remove(paths: readonly string[]): void {
  for (const path of paths) if (existsSync(path)) removeDurably(path);
}

function stagingFiles(target: string): readonly string[] {
  const { staged, partial } = programPaths(target);
  const note = noteOf(partial);
  return [staged, partial, note, ...findAside(note)];
}

/** A note that was written aside when its writer was killed. */
function findAside(note: string): readonly string[] {
  const folder = dirname(note);
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(note)}.`) && name.endsWith('.tmp'))
    .map((name) => join(folder, name));
}
