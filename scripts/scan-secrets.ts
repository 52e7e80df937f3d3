/**
 * `npm run scan:secrets [FOLDER...]`: looks for secrets in every file that is, or could be, committed, and in `dist/`; with
 * folders, in all that lies in those. Says which kind was found where, never what it is.
 * The rules are in `.secretlintrc.json`; what only looks like a secret says so on its line (`secretlint-disable-line`).
 */
import { spawnSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
/** What the pinned tool takes for a tree several times this large. */
const LIMIT_MS = 300_000;

function listTree(): string[] {
  const git = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (git.status !== 0)
    stop('git ls-files failed: it says which files are, or could be, committed.');
  const built = listFolder(join(root, 'dist'));
  if (built.length === 0) stop('There is no dist/ to scan. Run: npm run build');
  // A file that was removed but is not committed so is no longer there.
  return [...git.stdout.split('\0').filter((path) => path !== ''), ...built].filter(isFile);
}

function listFolder(folder: string): string[] {
  return globSync(['**/*', '**/.*', '**/.*/**/*'], { cwd: folder })
    .map((path) => relative(root, join(folder, path)))
    .filter(isFile);
}

function isFile(path: string): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true;
}

function stop(text: string): never {
  console.error(text);
  process.exit(1);
}

const folders = process.argv.slice(2);
const found =
  folders.length === 0 ? listTree() : folders.flatMap((one) => listFolder(resolve(one)));
const files = [...new Set(found)];
if (files.length === 0) stop('There is nothing to scan.');
const program = join(root, 'node_modules/secretlint/bin/secretlint.js');
const scan = spawnSync(
  process.execPath,
  [program, '--no-glob', '--secretlintrc', join(root, '.secretlintrc.json'), ...files],
  { cwd: root, stdio: 'inherit', timeout: LIMIT_MS },
);
if (scan.status !== 0) stop('Secrets were found, or the scan did not come to its end.');
console.log(`${files.length} files hold no secret that is known by its form or its name.`);
