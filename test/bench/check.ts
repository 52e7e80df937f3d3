/**
 * How long it takes to look for updates of many units at many registries that are 100 ms away, and what they are asked, in
 * a throw-away host (test/lab) with real podman: beside `podman auto-update --dry-run` and a loop of `skopeo inspect` on
 * the same images. Prints a table; exit code 0: all is reached, 1: something is missed or could not be measured.
 * To make the units takes some minutes, and as long takes each round of podman.
 *   node test/bench/check.ts [--rounds N] [--units N] [--sample N] [--other-rounds N]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
execFileSync(join(root, 'test/lab/setup'), { stdio: ['ignore', 'inherit', 'inherit'] });
const inside = join(import.meta.dirname, 'check-inside.ts');
const child = spawn(
  join(root, 'test/lab/run'),
  ['--', process.execPath, inside, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
// The lab ends everything inside when it is told to end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => child.kill(signal));
}
const [code] = (await once(child, 'exit')) as [number | null];
process.exitCode = code ?? 1;
