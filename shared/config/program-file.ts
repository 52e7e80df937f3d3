import { resolve } from 'node:path';
import { argv, execPath } from 'node:process';
import { isSea } from 'node:sea';
import { realBulkFiles } from '../fs/bulk-files.ts';

/**
 * The file that this program is: the single executable, or the script that Node was started with. After an exchange
 * the path holds the next program, so who wants its own digest asks at the start.
 */
export function programFile(): string {
  const [, script] = argv;
  return isSea() || script === undefined ? execPath : resolve(script);
}

/**
 * SHA-256 of a file as hexadecimal digits.
 * @throws the system's error.
 */
export function hashFile(path: string): Promise<string> {
  return realBulkFiles.hash(path);
}
