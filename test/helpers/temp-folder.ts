import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder of its own for one test, with a space and a letter beyond ASCII in its name; gone afterwards. */
export function makeTempFolder(context: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'podup tést-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
