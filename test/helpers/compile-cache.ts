import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'podup-compiled-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** For a test file that starts one program many times: what the first one compiled need not be compiled again. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: folder } as const;
