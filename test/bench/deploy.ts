/**
 * How fast many units get new images that are pushed at once, in a throw-away host (test/lab): with the default soak
 * against our own serial time, and without one against `podman auto-update`. Prints a table; exit code 0: all is
 * reached, 1: something is missed or could not be measured.
 *   node test/bench/deploy.ts [--rounds N] [--units N] [--skip-serial] [--profile]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
execFileSync(join(root, 'test/lab/setup'), { stdio: ['ignore', 'inherit', 'inherit'] });
execFileSync(process.execPath, [join(root, 'scripts/build.ts')], { stdio: 'inherit' });
const inside = join(import.meta.dirname, 'deploy-inside.ts');
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
