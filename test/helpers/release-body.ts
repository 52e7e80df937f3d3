import { createHash } from 'node:crypto';
import {
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { MIGRATIONS } from '../../app/db/generated-migrations.ts';

const root = join(import.meta.dirname, '../..');
const CACHE = join(tmpdir(), `podup-release-bodies-${process.getuid?.() ?? 0}`);
/** A body of older sources is left for whoever still builds from it. */
const KEPT_MS = 3_600_000;
/** Native: taken from this checkout, and loaded only where they are used. */
const NATIVE = ['better-sqlite3', 'koffi'];

/** What the process begins with: the program as users run it, or one that can be ended at a chosen step. */
export type ReleaseEntry = 'product' | 'failpoints';

const ENTRIES: Readonly<Record<ReleaseEntry, string>> = {
  product: './scripts/pod-upgrade-trigger.ts',
  failpoints: './test/fixtures/failpoints/program.ts',
};

const bodies = new Map<ReleaseEntry, Promise<string>>();

/**
 * The program as one module, as a JSON text. Built once for the sources as they are; all releases are made of it, for
 * what differs between them stands before it.
 */
export function releaseBody(entry: ReleaseEntry = 'product'): Promise<string> {
  const body = bodies.get(entry) ?? readOrBuild(entry);
  bodies.set(entry, body);
  return body;
}

async function readOrBuild(entry: ReleaseEntry): Promise<string> {
  const file = join(CACHE, `${entry}-${hashSources(entry)}.json`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const made = JSON.stringify(await bundle(entry));
    mkdirSync(CACHE, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(CACHE)) removeOld(join(CACHE, name));
    // Built aside, for another process may build the same at this moment.
    const aside = `${file}.${process.pid}.tmp`;
    writeFileSync(aside, made);
    renameSync(aside, file);
    return made;
  }
}

function hashSources(entry: ReleaseEntry): string {
  const files = globSync(
    [
      '{app,shared,supervisor}/**/*.ts',
      'scripts/pod-upgrade-trigger.ts',
      'package-lock.json',
      'test/helpers/release-body.ts',
      ...(entry === 'failpoints'
        ? ['test/crash/failpoint*.ts', 'test/fixtures/failpoints/*.ts']
        : []),
    ],
    { cwd: root },
  ).sort();
  const hash = createHash('sha256').update(root);
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function removeOld(path: string): void {
  const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > KEPT_MS) rmSync(path, { force: true });
}

async function bundle(entry: ReleaseEntry): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: {
      contents: `
        import { isMainThread } from 'node:worker_threads';
        if (isMainThread) await import('${ENTRIES[entry]}');
        else await import('./app/recorder/recorder-thread.ts');
      `,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    legalComments: 'none',
    charset: 'utf8',
    plugins: [takeFromCheckout, openMigrations],
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    define: {
      BUILD_VERSION: 'RELEASE_VERSION',
      BUILD_COMMIT: 'RELEASE_COMMIT',
      RECORDER_FILE: 'RELEASE_FILE',
      KOFFI_FILE: JSON.stringify(createRequire(import.meta.url).resolve('koffi')),
    },
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
}

const takeFromCheckout: Plugin = {
  name: 'native packages of this checkout',
  setup(esbuild) {
    const resolve = createRequire(import.meta.url).resolve;
    const filter = new RegExp(`^(?:${NATIVE.join('|')})$`);
    esbuild.onResolve({ filter }, ({ path }) => ({ path, namespace: 'native' }));
    esbuild.onLoad({ filter: /./, namespace: 'native' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(resolve(path))});`,
    }));
    esbuild.onResolve({ filter: /^\//, namespace: 'native' }, ({ path }) => ({
      path,
      external: true,
    }));
  },
};

/** Lets a release know further migrations. */
const openMigrations: Plugin = {
  name: 'further migrations',
  setup(esbuild) {
    esbuild.onLoad({ filter: /\/app\/db\/generated-migrations\.ts$/ }, () => ({
      contents: `export const MIGRATIONS = [...${JSON.stringify(MIGRATIONS)}, ...RELEASE_MIGRATIONS];`,
    }));
  },
};
