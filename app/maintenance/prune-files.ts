import { type Dirent, existsSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import type { SpoolSegmentTable } from '../db/spool-segments.ts';
import {
  type Cutoffs,
  type FileRule,
  LEGACY_FOLDERS,
  PRUNED_FILES,
  type PruneCounts,
} from '../domain/retention.ts';

/** Where files are that are pruned. */
export type PrunedPaths = Pick<StatePaths, FileRule['base']>;

type Segments = Pick<SpoolSegmentTable, 'listNames' | 'forget'>;
type Count = readonly [keyof PruneCounts, number];

/** What is looked at in one folder; the rest waits for the next time. */
const MAX_ENTRIES = 10_000;

const KINDS = Object.keys(PRUNED_FILES) as (keyof typeof PRUNED_FILES)[];

/** How many files of each kind would go. Nothing is touched. */
export function countFiles(paths: PrunedPaths, segments: Segments, cutoffs: Cutoffs): Count[] {
  const found = findAll(paths, cutoffs);
  return [
    ['spool_positions', findLostPositions(paths, segments).length],
    ...KINDS.map((kind): Count => [kind, found[kind].length]),
    ['legacy_folders', findEmptied(paths, new Set(Object.values(found).flat())).length],
  ];
}

/** Removes them; without cutoffs it removes nothing. What another has removed meanwhile counts for nothing. */
export function removeFiles(
  paths: PrunedPaths,
  segments: Segments,
  cutoffs: Cutoffs | undefined,
): Count[] {
  const found = cutoffs && findAll(paths, cutoffs);
  const lost = cutoffs ? findLostPositions(paths, segments) : [];
  for (const name of lost) segments.forget(name);
  const files = KINDS.map((kind): Count => [kind, removeEach(found?.[kind] ?? [], unlinkSync)]);
  const emptied = cutoffs ? findEmptied(paths, new Set()) : [];
  return [
    ['spool_positions', lost.length],
    ...files,
    ['legacy_folders', removeEach(emptied, rmdirSync)],
  ];
}

function findAll(paths: PrunedPaths, cutoffs: Cutoffs) {
  const entries = KINDS.map((kind) => {
    const rules: readonly FileRule[] = PRUNED_FILES[kind];
    return [kind, rules.flatMap((rule) => findOld(paths, rule, cutoffs))] as const;
  });
  return Object.fromEntries(entries) as Record<keyof typeof PRUNED_FILES, string[]>;
}

/** Plain files alone: nothing behind a link is ever touched. */
function findOld(paths: PrunedPaths, rule: FileRule, cutoffs: Cutoffs): string[] {
  const { base, folder, name, cutoff } = rule;
  const place = folder === undefined ? paths[base] : join(paths[base], folder);
  if (folder !== undefined && !isFolder(place)) return [];
  return list(place)
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(place, entry.name))
    .filter((path) => {
      const facts = lstatSync(path, { throwIfNoEntry: false });
      return facts !== undefined && facts.mtimeMs < cutoffs[cutoff];
    });
}

/** A segment that was taken over and is gone; the process that deleted it died before it forgot how far it was. */
function findLostPositions({ intakeDir }: PrunedPaths, segments: Segments): string[] {
  // Known first, looked for afterwards: a segment is there before its position is.
  return segments.listNames().filter((name) => !existsSync(join(intakeDir, name)));
}

/** Folders of earlier programs that hold nothing but what goes. */
function findEmptied({ stateDir }: PrunedPaths, going: ReadonlySet<string>): string[] {
  return LEGACY_FOLDERS.map((folder) => join(stateDir, folder))
    .filter(isFolder)
    .filter((folder) => {
      const entries = list(folder);
      const isWhole = entries.length < MAX_ENTRIES;
      return isWhole && entries.every(({ name }) => going.has(join(folder, name)));
    });
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).slice(0, MAX_ENTRIES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function removeEach(paths: readonly string[], remove: (path: string) => void): number {
  return paths.filter((path) => {
    try {
      remove(path);
      return true;
    } catch (error) {
      // Gone, or something came into the folder.
      if (['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? ''))
        return false;
      throw error;
    }
  }).length;
}
