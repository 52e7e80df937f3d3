import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { removeDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import { realFiles } from '../../shared/fs/files.ts';

/** What is known of a backup, from the file beside it. */
const DESCRIPTION = z.object({
  created_at: z.iso.datetime(),
  version: z.string().max(100),
  schema: z.number().int().min(0),
  bytes: z.number().int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** A backup of the database. */
export type Backup = Readonly<z.output<typeof DESCRIPTION>> & {
  /** Of the file, without its folder. */
  readonly name: string;
  readonly file: string;
};

const NAME = /^podup-\d{8}T\d{9}Z\.db$/;
const MAX_DESCRIPTION_BYTES = 4_096;

/** A name that sorts by time. */
export function backupName(nowMs: number): string {
  return `podup-${new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '')}.db`;
}

/** The file that describes a backup. It is written last: a backup without one is not whole. */
function descriptionOf(file: string): string {
  return `${file}.json`;
}

/** Describes a backup that lies whole on the disk. */
export function describeBackup(file: string, description: z.input<typeof DESCRIPTION>): Backup {
  writeFileDurably(descriptionOf(file), `${JSON.stringify(description, null, 2)}\n`);
  return { ...description, name: basename(file), file };
}

/** The backup at `file`; undefined where there is none or nothing that describes it. */
export function readBackup(file: string): Backup | undefined {
  const facts = realFiles.facts(descriptionOf(file));
  if (!facts || facts.bytes > MAX_DESCRIPTION_BYTES || !realFiles.facts(file)) return undefined;
  try {
    const description = DESCRIPTION.parse(JSON.parse(readFileSync(descriptionOf(file), 'utf8')));
    return { ...description, name: basename(file), file };
  } catch {
    return undefined;
  }
}

/** The backups of a folder, newest first. */
export function listBackups(folder: string): Backup[] {
  return listNames(folder)
    .filter((name) => NAME.test(name))
    .sort()
    .reverse()
    .flatMap((name) => readBackup(join(folder, name)) ?? []);
}

/**
 * Removes what a backup that was cut off has left, and the oldest backups beyond `keep`, but never the one that was just
 * made, `made`: a clock that was set back gives it the oldest name. Other files are not ours and stay. How many backups
 * were removed.
 */
export function tidyBackups(folder: string, keep: number, made?: string): number {
  const backups = listBackups(folder).sort(
    (a, b) => Number(b.name === made) - Number(a.name === made),
  );
  const whole = new Set(backups.flatMap(({ name }) => [name, descriptionOf(name)]));
  for (const name of listNames(folder)) {
    const [own] = /^podup-\d{8}T\d{9}Z\.db/.exec(name) ?? [];
    if (own !== undefined && !whole.has(name)) removeDurably(join(folder, name));
  }
  const surplus = backups.slice(keep);
  for (const { file } of surplus) {
    // The description first: without it the other is known as not whole.
    removeDurably(descriptionOf(file));
    removeDurably(file);
  }
  return surplus.length;
}

function listNames(folder: string): string[] {
  return realFiles.facts(folder) ? readdirSync(folder) : [];
}
