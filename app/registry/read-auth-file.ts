import { readFile, stat } from 'node:fs/promises';

const MAX_BYTES = 1_048_576;

/**
 * Reads a credentials file of at most 1 MiB. Rejects with the code of the system's error, with EFBIG where it is
 * larger, and with EINVAL where it is no regular file, for a pipe there could hold up the reader for ever.
 */
export async function readAuthFile(path: string): Promise<string> {
  const stats = await stat(path);
  if (!stats.isFile()) throw refusal('EINVAL', 'no regular file');
  if (stats.size > MAX_BYTES) throw refusal('EFBIG', `larger than ${MAX_BYTES} bytes`);
  return await readFile(path, 'utf8');
}

function refusal(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
