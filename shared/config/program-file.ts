import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { argv, execPath } from 'node:process';
import { isSea } from 'node:sea';

/**
 * The file that this program is: the single executable, or the script that Node was started with. After an exchange
 * the path holds the next program, so who wants its own digest asks at the start.
 */
export function programFile(): string {
  const [, script] = argv;
  return isSea() || script === undefined ? execPath : resolve(script);
}

/**
 * SHA-256 of a file as hexadecimal digits, read in pieces.
 * @throws the system's error.
 */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
