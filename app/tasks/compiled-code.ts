import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM } from '../../shared/config/program-version.ts';

const PREFIX = 'compiled-';

/**
 * The folder where the processes of tasks keep their compiled code (NODE_COMPILE_CACHE), so that not each of them compiles
 * it anew: a third of what it costs to start one. One folder a version, some megabytes each.
 */
export function compiledCodeFolder(dataDir: string): string {
  const version = `${PROGRAM.version}-${PROGRAM.commit}`.replaceAll(/[^A-Za-z0-9.-]/g, '_');
  return join(dataDir, `${PREFIX}${version}`);
}

/** Removes what other versions have left. What cannot be removed stays: nothing depends on it. */
export function dropOldCompiledCode(dataDir: string): void {
  const current = compiledCodeFolder(dataDir);
  try {
    for (const name of readdirSync(dataDir)) {
      const path = join(dataDir, name);
      if (name.startsWith(PREFIX) && path !== current) rmSync(path, { recursive: true });
    }
  } catch {
    // The next start tries again.
  }
}
