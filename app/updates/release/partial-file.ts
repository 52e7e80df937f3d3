import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import {
  nullable,
  parseJson,
  pattern,
  shape,
  text,
  whole,
} from '../../../shared/contract/read-shape.ts';
import { digestText } from '../../../shared/contract/release.ts';
import { writeFileDurably } from '../../../shared/fs/durable-file.ts';

/** What has come of a program so far. */
export type Part = {
  readonly bytes: number;
  readonly etag: string | null;
  /** Of these bytes. */
  readonly hash: Hash;
};

const noteShape = shape({
  v: whole(1, 1),
  /** Of the whole program: what a partial file of another one is worth nothing for. */
  digest: digestText,
  tag: text(200),
  etag: nullable(pattern(/^"[^"]{0,200}"$/)),
});

const MAX_NOTE_BYTES = 4_096;

/** Where it is noted of what a partial file is a part. */
export function noteOf(path: string): string {
  return `${path}.json`;
}

/** Nothing, to begin with. */
export function noPartial(): Part {
  return { bytes: 0, etag: null, hash: createHash('sha256') };
}

/** What lies there of the program with this digest; nothing where it is of another or cannot be gone on with. */
export async function readPartial(
  path: string,
  digest: string,
  signal: AbortSignal,
): Promise<Part> {
  const note = noteShape(parseJson(await readSmall(noteOf(path))));
  if (note?.digest !== digest || note.etag === null) return noPartial();
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { signal })) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).byteLength;
    }
  } catch {
    return noPartial();
  }
  return { bytes, etag: note.etag, hash };
}

async function readSmall(path: string): Promise<string> {
  try {
    return (await stat(path)).size > MAX_NOTE_BYTES ? '' : await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Opens the file to go on from a byte. From the first byte on it is a new file, never the old one cut short: a stager
 * that has lost its supervisor may still write to that.
 */
export async function openPartial(
  path: string,
  from: number,
  note: { readonly digest: string; readonly tag: string; readonly etag: string | null },
): Promise<FileHandle> {
  if (from > 0) return open(path, 'r+');
  await removePartial(path);
  const file = await open(path, 'wx', 0o600);
  writeFileDurably(noteOf(path), JSON.stringify({ v: 1, ...note }));
  return file;
}

/** Writes all of a piece at its place. */
export async function writeAt(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const rest = bytes.byteLength - written;
    written += (await file.write(bytes, written, rest, position + written)).bytesWritten;
  }
}

/** Removes the file and its note. */
export async function removePartial(path: string): Promise<void> {
  await rm(noteOf(path), { force: true });
  await rm(path, { force: true });
}
