import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DIRECTIONS, JOINTS } from './directions.ts';
import {
  fileImports,
  files,
  findCycle,
  type Import,
  packageImports,
  reachFrom,
} from './source-imports.ts';

const PURE = /^(?:shared\/contract|supervisor\/core|app\/domain|app\/api)\//;
const PURE_PACKAGES = ['zod', 'semver'];
/** What would make the supervisor as large, and as often to be updated, as what it watches. */
const TOO_HEAVY = [
  ...['zod', 'fastify', 'better-sqlite3', 'execa', 'undici'],
  ...['chokidar', 'croner', 'commander', 'koffi'],
];

/** The area of a file: the joint itself, the folder below app, shared, supervisor and test, else the top folder. */
function areaOf(file: string): string {
  if (JOINTS.includes(file)) return file;
  const [top = '', folder] = file.split('/');
  return top === 'scripts' || folder === undefined ? top : `${top}/${folder}`;
}

const format = ({ from, to }: Import) => `${from} -> ${to}`;
describe('the sources', () => {
  test('are found', () => {
    assert.ok(files.length > 90, `${files.length} files`);
    assert.ok(fileImports.length > 250, `${fileImports.length} imports`);
  });

  test('import in the allowed directions only', () => {
    const wrong = fileImports.filter(({ from, to }) => {
      const [area, target] = [areaOf(from), areaOf(to)];
      return area !== target && !DIRECTIONS[area]?.includes(target);
    });
    assert.deepEqual(wrong.map(format), []);
  });

  test('use every direction that is allowed', () => {
    const used = new Set(fileImports.map(({ from, to }) => `${areaOf(from)} -> ${areaOf(to)}`));
    const allowed = Object.entries(DIRECTIONS).flatMap(([area, targets]) =>
      targets.map((target) => `${area} -> ${target}`),
    );
    assert.deepEqual(
      allowed.filter((direction) => !used.has(direction)),
      [],
    );
  });

  test('import nothing in a circle at run time', () => {
    assert.deepEqual(findCycle(), []);
  });

  test('of pure folders import nothing of node and no package that is not pure itself', () => {
    const wrong = packageImports.filter(
      ({ from, to }) => PURE.test(from) && !PURE_PACKAGES.includes(to),
    );
    assert.deepEqual(wrong.map(format), []);
  });

  test('of the supervisor load nothing that is heavy, however far down', () => {
    const reached = reachFrom(/^supervisor\//);
    const wrong = packageImports.filter(
      ({ from, to, isErased }) => !isErased && reached.has(from) && TOO_HEAVY.includes(to),
    );
    assert.deepEqual(wrong.map(format), []);
  });

  test('of the standby load no database, however far down', () => {
    const reached = reachFrom(/^app\/(?:standby\/|cli\/intake\.ts)/);
    const wrong = packageImports.filter(
      ({ from, to, isErased }) => !isErased && reached.has(from) && to === 'better-sqlite3',
    );
    assert.deepEqual(wrong.map(format), []);
  });
});
