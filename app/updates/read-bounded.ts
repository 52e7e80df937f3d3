import { type FileHandle, open } from 'node:fs/promises';

/** What reading a file came to; `fault` says why it could not be read. */
export type BoundedText =
  | { readonly kind: 'missing' }
  | { readonly kind: 'text'; readonly text: string; readonly isWhole: boolean }
  | { readonly kind: 'fault'; readonly fault: string };

/**
 * Reads at most `maxBytes` of a file. Of a larger one nothing or, for files that only grow, its end. Never more than
 * that is held in memory, however large the file has become.
 */
export async function readBounded(
  path: string,
  maxBytes: number,
  ofLarger: 'nothing' | 'end' = 'nothing',
): Promise<BoundedText> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const isWhole = size <= maxBytes;
    if (!isWhole && ofLarger === 'nothing') {
      return { kind: 'fault', fault: `it has ${size} bytes, more than ${maxBytes}` };
    }
    const bytes = await readBytes(file, Math.max(size - maxBytes, 0), Math.min(size, maxBytes));
    return { kind: 'text', text: bytes.toString('utf8'), isWhole };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    // Below what is no folder there is nothing either.
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'fault', fault: code };
  }
}

async function readBytes(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
