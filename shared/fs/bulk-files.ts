import { constants, createReadStream } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createSha256 } from './sha256.ts';

/** What is too long for a synchronous call: whole programs and databases. Failures are the system's errors. */
export type BulkFiles = {
  /** Copies to a new or replaced file and syncs it; shares the blocks where the file system can. */
  copy(from: string, to: string): Promise<void>;
  /** SHA-256 of the content, as lower-case hexadecimal digits. */
  hash(path: string): Promise<string>;
};

/** The operations of the real file system. */
export const realBulkFiles: BulkFiles = {
  async copy(from, to) {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    const file = await open(to, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  },
  async hash(path) {
    const hash = createSha256();
    await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
    return hash.digest('hex');
  },
};
