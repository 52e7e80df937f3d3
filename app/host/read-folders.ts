import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnitFile } from '../domain/unit-folders.ts';
import type { FolderRequest, Host } from './host.ts';

/** What bounds one look, here and over SSH. */
export const FOLDER_LIMITS = { files: 10_000, fileBytes: 262_144, allBytes: 16_777_216 } as const;

/** Folders and files that are not there, or not for us, are not there for the generator of this user either. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP'];
const AT_ONCE = 16;

/** See `Host.readFolders`; this host. */
export async function readFolders(
  { folders, endings, depth }: FolderRequest,
  readText: Host['readText'],
): Promise<readonly UnitFile[]> {
  const paths: string[] = [];
  const seen = new Set<string>();
  const isWanted = (name: string) => endings.some((ending) => name.endsWith(ending));

  async function walk(folder: string, left: number): Promise<void> {
    const real = await resolve(folder);
    // By another way already: a link may lead to a folder above.
    if (real === undefined || seen.has(real)) return;
    seen.add(real);
    const entries = await list(folder);
    for (const { name } of entries.filter((entry) => isWanted(entry.name))) {
      paths.push(join(folder, name));
    }
    for (const { name } of entries.filter((entry) => entry.name.endsWith('.d'))) {
      paths.push(...(await listDropIns(join(folder, name))));
    }
    if (paths.length > FOLDER_LIMITS.files) throw tooMuch();
    const below = entries.filter((entry) => mayBeFolder(entry) && !isWanted(entry.name));
    for (const { name } of left > 1 ? below : []) await walk(join(folder, name), left - 1);
  }

  for (const folder of folders) await walk(folder, depth);
  return readAll(paths, readText);
}

function mayBeFolder(entry: Dirent): boolean {
  return !entry.name.endsWith('.d') && (entry.isDirectory() || entry.isSymbolicLink());
}

async function readAll(
  paths: readonly string[],
  readText: Host['readText'],
): Promise<readonly UnitFile[]> {
  const files: UnitFile[] = [];
  let bytes = 0;
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const some = paths.slice(at, at + AT_ONCE);
    const read = await Promise.all(some.map((path) => readFile(path, readText)));
    for (const file of read) {
      if (!file) continue;
      bytes += file.text?.length ?? 0;
      files.push(file);
    }
    if (bytes > FOLDER_LIMITS.allBytes) throw tooMuch();
  }
  return files;
}

function tooMuch(): Error {
  return Object.assign(new Error('more unit files than are anywhere'), { code: 'EFBIG' });
}

async function resolve(path: string): Promise<string | undefined> {
  return unlessAbsent(realpath(path), undefined);
}

async function list(folder: string): Promise<readonly Dirent[]> {
  const entries = await unlessAbsent(readdir(folder, { withFileTypes: true }), []);
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function listDropIns(folder: string): Promise<readonly string[]> {
  const entries = await list(folder);
  return entries.filter(({ name }) => name.endsWith('.conf')).map(({ name }) => join(folder, name));
}

async function unlessAbsent<T, F>(asked: Promise<T>, fallback: F): Promise<T | F> {
  try {
    return await asked;
  } catch (error) {
    if (ABSENT.includes((error as NodeJS.ErrnoException).code ?? '')) return fallback;
    throw error;
  }
}

/** Undefined where it is gone since it was listed, or a link that leads nowhere. */
async function readFile(path: string, readText: Host['readText']): Promise<UnitFile | undefined> {
  const target = await resolve(path);
  if (target === undefined) return undefined;
  try {
    return { path, target, text: await readText(path, FOLDER_LIMITS.fileBytes), fault: null };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EFBIG') return { path, target, text: null, fault: 'It is larger than 256 KiB.' };
    if (code === 'EISDIR') return undefined;
    if (!ABSENT.includes(code)) throw error;
    return { path, target, text: null, fault: `It cannot be read (${code}).` };
  }
}
