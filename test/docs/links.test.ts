import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync('{*.md,docs/**/*.md,test/lab/*.md}', { cwd: ROOT });

/** The text without blocks of code, in which nothing is a link or a heading. */
function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll(/^```.*?^```$/gms, '');
}

/** By what a heading is linked to at GitHub: without marks, in lower case, dashes for spaces. */
function anchorsOf(path: string): ReadonlySet<string> {
  const headings = readPage(path).matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Where the links of a page lead, but for those to other sites. */
function linksOf(page: string): string[] {
  const links = readPage(page).matchAll(/\]\(([^)\s]+)\)/g);
  return Array.from(links, ([, target = '']) => target).filter((target) => !/^\w+:/.test(target));
}

test('every link in a document leads to a file, and to a heading that is there', () => {
  const all = PAGES.flatMap((page) => linksOf(page).map((target) => ({ page, target })));
  assert.ok(all.length > 100, `${all.length} links`);
  const broken = all.filter(({ page, target }) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
    if (!existsSync(join(ROOT, file))) return true;
    return anchor !== undefined && !anchorsOf(file).has(anchor);
  });
  assert.deepEqual(
    broken.map(({ page, target }) => `${page}: ${target}`),
    [],
  );
});

test('every file of the project that a document names is there', () => {
  const named = PAGES.flatMap((page) =>
    Array.from(
      readPage(page).matchAll(/`((?:app|shared|supervisor|scripts|systemd|test)\/[\w./-]+\.\w+)`/g),
      ([, path = '']) => ({ page, path }),
    ),
  );
  assert.ok(named.length > 100, `${named.length} names`);
  assert.deepEqual(
    named
      .filter(({ path }) => !existsSync(join(ROOT, path)))
      .map(({ page, path }) => `${page}: ${path}`),
    [],
  );
});

test('every page is named in the README', () => {
  const readme = readPage('README.md');
  const pages = PAGES.filter((page) => page.startsWith('docs/'));
  assert.deepEqual(
    pages.filter((page) => !readme.includes(`(${page})`)),
    [],
  );
});
