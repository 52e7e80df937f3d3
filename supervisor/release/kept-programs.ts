import { parseJson } from '../../shared/contract/read-shape.ts';
import { type ReleaseIdentity, releaseIdentity } from '../../shared/contract/release.ts';
import { backupShape } from '../../shared/contract/update-record.ts';
import type { Files } from '../../shared/fs/files.ts';
import type { Retained } from '../core/update/machine.ts';
import { KEPT } from './program-files.ts';

/** A kept program and the folder of the update that kept it. */
type Kept = { readonly folder: string; readonly release: ReleaseIdentity };

const MAX_BYTES = 64 * 1024;
/** Folders of this many updates are kept; the newest ones. */
const KEPT_UPDATES = 3;

/** Every kept program, the newest first. Names of updates sort by the time at which they were opened. */
export function listKept(backupsDir: string, files: Files): readonly Kept[] {
  return files
    .list(backupsDir)
    .toReversed()
    .flatMap((name) => {
      const folder = `${backupsDir}/${name}`;
      const release = readJson(`${folder}/${KEPT.identity}`, releaseIdentity, files);
      const isThere = files.facts(`${folder}/${KEPT.program}`) !== undefined;
      return release && isThere ? [{ folder, release }] : [];
    });
}

/** The newest kept program of this version (or with this digest), and the database that it had. */
export function findKept(backupsDir: string, wanted: string, files: Files): Retained | null {
  const kept = listKept(backupsDir, files).find(
    ({ release }) =>
      release.version === wanted || release.digest === wanted || release.tag === wanted,
  );
  if (!kept) return null;
  return {
    file: `${kept.folder}/${KEPT.program}`,
    release: kept.release,
    backup: readJson(`${kept.folder}/${KEPT.backup}`, backupShape, files) ?? null,
  };
}

/** The folders that may go: all but the newest, and never the one of the open update. */
export function listForgotten(backupsDir: string, txn: string, files: Files): readonly string[] {
  const names = files.list(backupsDir).filter((name) => name !== txn);
  return names
    .slice(0, Math.max(names.length - (KEPT_UPDATES - 1), 0))
    .map((name) => `${backupsDir}/${name}`);
}

function readJson<T>(
  path: string,
  read: (raw: unknown) => T | undefined,
  files: Files,
): T | undefined {
  try {
    const bytes = files.read(path, MAX_BYTES);
    return bytes && read(parseJson(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}
