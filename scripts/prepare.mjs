/**
 * The pre-step of `npm start`, `npm test` and `npm run demo`: installs what the lock file says, the pinned Node among
 * it, where that has not been done. Runs on whatever Node (20 or later) the machine has, with nothing installed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.installed-lock');
const runtime = join(modules, '.bin', 'node');

function stop(...lines) {
  for (const line of lines) console.error(line);
  process.exit(1);
}

if (process.platform !== 'linux' || process.arch !== 'x64') {
  stop('pod-upgrade-trigger runs on Linux on x86-64.');
}
if (Number(process.versions.node.split('.')[0]) < 20) {
  stop(`Node 20 or later is needed to install; this is ${process.version}.`);
}

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
if (installed !== lock || !existsSync(runtime)) {
  console.error('Installing what package-lock.json says (about 300 MB, once) …');
  // Not with the Node that this very step replaces.
  const path = (process.env.PATH ?? '').split(':').filter((folder) => !folder.startsWith(modules));
  const result = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, PATH: path.join(':') },
    },
  );
  if (result.status !== 0) {
    stop('npm ci failed: the lines above say why. A proxy or a registry may be out of reach.');
  }
  writeFileSync(stamp, lock);
}

const probe = spawnSync(runtime, ['--version'], { encoding: 'utf8' });
if (probe.status !== 0) {
  if (/libatomic/.test(probe.stderr ?? '')) {
    stop('The pinned Node needs libatomic.so.1. On Debian: apt-get install libatomic1');
  }
  stop(`The pinned Node does not run here: ${(probe.stderr ?? String(probe.error)).trim()}`);
}
execFileSync(runtime, [join(root, 'scripts', 'build.ts')], { stdio: 'inherit' });
