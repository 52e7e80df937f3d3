import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder in a lab, which is gone with it. */
export function makeLooseFolder(): string {
  return mkdtempSync(join(tmpdir(), 'podup-lab-'));
}
