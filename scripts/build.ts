/** Builds dist/: one small entry, and the parts that each process loads from it. */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { renameDurably } from '../shared/fs/durable-file.ts';

const root = join(import.meta.dirname, '..');

function readCommit(): string {
  try {
    const commit = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return commit.trim();
  } catch {
    return 'unknown';
  }
}

const [made, current, former] = ['dist.new', 'dist', 'dist.old'].map((name) =>
  join(root, name),
) as [string, string, string];
rmSync(made, { recursive: true, force: true });
/** Loaded by the entry, and built by itself: one file is read faster than the many parts that it shares with the others. */
const TASK = 'app/cli/run-task-command.ts';
const takeTaskApart: Plugin = {
  name: 'the task is another file',
  setup({ onResolve }) {
    onResolve({ filter: /\/run-task-command\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './run-task.mjs', external: true } : undefined,
    );
  },
};

const COMMON: BuildOptions = {
  absWorkingDir: root,
  outdir: made,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'esm',
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  // Native: found in node_modules.
  external: ['better-sqlite3'],
  // CommonJS packages ask for Node's own modules by require, which an ES module has not.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
  },
  define: {
    BUILD_COMMIT: JSON.stringify(readCommit()),
    // As seen from the chunk that starts the thread.
    RECORDER_FILE: JSON.stringify('../recorder-thread.mjs'),
  },
  logLevel: 'warning',
};
await build({
  ...COMMON,
  entryPoints: {
    'pod-upgrade-trigger': 'scripts/pod-upgrade-trigger.ts',
    'recorder-thread': 'app/recorder/recorder-thread.ts',
  },
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  plugins: [takeTaskApart],
});
await build({ ...COMMON, entryPoints: { 'run-task': TASK } });
// Changed over only when it is whole: a service may run from this folder, and a build may be cut off.
rmSync(former, { recursive: true, force: true });
if (existsSync(current)) renameDurably(current, former);
renameDurably(made, current);
