import { dirname } from 'node:path';
import { type Files, realFiles } from './files.ts';

/**
 * Replaces a file whole: written aside, synced, renamed, and the folder synced, so that a power cut leaves either the
 * old content or the new one. `mode` defaults to 0600.
 * @throws the system's error; the file at `path` is unchanged unless only the last sync failed.
 */
export function writeFileDurably(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
  files: Files = realFiles,
): void {
  writeAside({ path, content, mode, files }, (aside) => files.rename(aside, path));
}

/**
 * Makes a file whole under a name that is free: whoever finds the name finds all of the content. Of several who try
 * at once one makes it, for link(2), unlike rename(2), replaces nothing.
 * @throws EEXIST where there is something already, or another error of the system.
 */
export function createDurably(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
  files: Files = realFiles,
): void {
  writeAside({ path, content, mode, files }, (aside) => {
    files.link(aside, path);
    files.unlink(aside);
  });
}

type Written = {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
  readonly files: Files;
};

/** Writes a file beside `path`, whole and synced, and has it put in place; nothing is left aside when that fails. */
function writeAside({ path, content, mode, files }: Written, place: (aside: string) => void): void {
  const aside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
  const file = files.create(aside, mode);
  try {
    try {
      files.write(file, typeof content === 'string' ? Buffer.from(content) : content);
      files.sync(file);
    } finally {
      files.close(file);
    }
    place(aside);
  } catch (error) {
    files.unlink(aside);
    throw error;
  }
  files.syncDirectory(dirname(path));
}

/** Appends to a file, making it where it is missing, and syncs it, its name included. */
export function appendDurably(path: string, content: string, files: Files = realFiles): void {
  const isNew = files.facts(path) === undefined;
  const file = files.openToAppend(path, 0o600);
  try {
    files.write(file, Buffer.from(content));
    files.sync(file);
  } finally {
    files.close(file);
  }
  if (isNew) files.syncDirectory(dirname(path));
}

/** Renames a file within its folder, durably. */
export function renameDurably(from: string, to: string, files: Files = realFiles): void {
  files.rename(from, to);
  files.syncDirectory(dirname(to));
}

/** Removes a file durably; nothing where it is missing, but then too the folder is synced. */
export function removeDurably(path: string, files: Files = realFiles): void {
  files.unlink(path);
  files.syncDirectory(dirname(path));
}

/**
 * Gives the file at `from` the name `to` as well, in one step: what was at `to` is replaced, and at no moment is
 * there nothing. Both must lie on one file system.
 */
export function linkDurably(from: string, to: string, files: Files = realFiles): void {
  const aside = `${to}.tmp`;
  files.unlink(aside);
  files.link(from, aside);
  try {
    files.rename(aside, to);
  } finally {
    // It failed, or did nothing: rename(2) does not where both names are one file already.
    files.unlink(aside);
  }
  files.syncDirectory(dirname(to));
}

/** Makes a folder and those above it, each entry durable, so that what is put into it is not lost with it. */
export function makeDirectoryDurably(path: string, mode = 0o700, files: Files = realFiles): void {
  if (files.facts(path)?.isDirectory) return;
  if (dirname(path) !== path) makeDirectoryDurably(dirname(path), mode, files);
  try {
    files.makeDirectory(path, mode);
  } catch (error) {
    // Another process was faster, or something else is in the way.
    if (!files.facts(path)?.isDirectory) throw error;
  }
  files.syncDirectory(dirname(path));
}
