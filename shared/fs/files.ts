import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

/** What the supervisor needs to know of a file. */
export type FileFacts = {
  readonly bytes: number;
  readonly device: number;
  readonly inode: number;
  readonly isExecutable: boolean;
  readonly isDirectory: boolean;
};

/**
 * The file operations that durable state is made of, as thin as they come: one call is one step at which the power
 * can go. Handed to what uses them, so that a test can try every such step. Failures are the system's errors.
 */
export type Files = {
  /** Opens for writing; fails where the file is there already. */
  create(path: string, mode: number): number;
  /** Opens for writing at the end; makes the file where it is missing. */
  openToAppend(path: string, mode: number): number;
  /** Writes all of `bytes`. */
  write(file: number, bytes: Uint8Array): void;
  sync(file: number): void;
  close(file: number): void;
  /** Makes new, renamed and removed entries of a folder durable (fsync(2): a file's own sync does not). */
  syncDirectory(path: string): void;
  rename(from: string, to: string): void;
  /** A second name for the same file; fails where `to` is there. */
  link(from: string, to: string): void;
  /** Nothing where the file is missing. */
  unlink(path: string): void;
  /** Fails where it is there already. */
  makeDirectory(path: string, mode: number): void;
  /** Undefined where there is nothing. */
  facts(path: string): FileFacts | undefined;
  /** Undefined where there is nothing; fails beyond `maxBytes`. */
  read(path: string, maxBytes: number): Uint8Array | undefined;
  /** The names in a folder, in order; none where it is missing. */
  list(path: string): readonly string[];
  /** Removes a folder of copies that nothing refers to any more, with all that is in it. */
  removeTree(path: string): void;
};

/** The operations of the real file system. */
export const realFiles: Files = {
  create: (path, mode) => openSync(path, 'wx', mode),
  openToAppend: (path, mode) => openSync(path, 'a', mode),
  write: (file, bytes) => {
    let written = 0;
    while (written < bytes.length) written += writeSync(file, bytes, written);
  },
  sync: fsyncSync,
  close: closeSync,
  syncDirectory: (path) => {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  },
  rename: renameSync,
  link: linkSync,
  unlink: (path) => unless(['ENOENT'], () => unlinkSync(path)),
  makeDirectory: (path, mode) => void mkdirSync(path, { mode }),
  facts: (path) =>
    unless(['ENOENT', 'ENOTDIR'], () => {
      const { size, dev, ino, mode } = statSync(path);
      const isDirectory = (mode & 0o170000) === 0o040000;
      const isExecutable = !isDirectory && (mode & 0o111) !== 0;
      return { bytes: size, device: dev, inode: ino, isExecutable, isDirectory };
    }),
  read: (path, maxBytes) =>
    unless(['ENOENT'], () => {
      if (statSync(path).size > maxBytes) {
        throw Object.assign(new Error(`${path} is larger than ${maxBytes} bytes`), {
          code: 'EFBIG',
        });
      }
      return readFileSync(path);
    }),
  list: (path) => unless(['ENOENT'], () => readdirSync(path).sort()) ?? [],
  removeTree: (path) => rmSync(path, { recursive: true, force: true }),
};

/** What `act` gives, or undefined when it fails with one of these codes. */
function unless<T>(codes: readonly string[], act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
