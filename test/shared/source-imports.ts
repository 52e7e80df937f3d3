import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** An import of a source. */
export type Import = {
  readonly from: string;
  /** A file below the root, or the name of a package. */
  readonly to: string;
  readonly isFile: boolean;
  /** Nothing of it is left when types are taken away. */
  readonly isErased: boolean;
};

/** Every source below the root. */
export const files = globSync('{app,shared,supervisor,scripts}/**/*.ts', { cwd: root }).sort();
/** What stands in them. */
export const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const imports = files.flatMap(readImports);

function readImports(from: string): Import[] {
  const text = texts.get(from) ?? '';
  const found = [
    ...text.matchAll(/^(?:import|export)\s(?<type>type\s)?[^;'"]*?\bfrom\s'(?<to>[^']+)'/gm),
    ...text.matchAll(/^import\s'(?<to>[^']+)'/gm),
    ...text.matchAll(/\bimport\(\s*'(?<to>[^']+)'/g),
  ];
  return found.flatMap(({ groups }): Import[] => {
    const name = groups?.['to'] ?? '';
    const isErased = groups?.['type'] !== undefined;
    if (!name.startsWith('.')) return [{ from, to: name, isFile: false, isErased }];
    const to = join(from, '..', name);
    // The compiler refuses a file that is not there; this is an import in the text of a generated file.
    return existsSync(join(root, to)) ? [{ from, to, isFile: true, isErased }] : [];
  });
}

/** Those of other files. */
export const fileImports = imports.filter(({ isFile }) => isFile);
/** Those of packages. */
export const packageImports = imports.filter(({ isFile }) => !isFile);

/** The first round trip along imports that are left at run time. */
export function findCycle(): readonly string[] {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const { to } of runtimeImports(file)) {
      const cycle = walk(to, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  return files.map((file) => walk(file, [])).find((cycle) => cycle.length > 0) ?? [];
}

function runtimeImports(file: string): readonly Import[] {
  return fileImports.filter(({ from, isErased }) => from === file && !isErased);
}

/** All files that are loaded with those whose path fits. */
export function reachFrom(pattern: RegExp): Set<string> {
  const reached = new Set(files.filter((file) => pattern.test(file)));
  // A set grows while it is walked.
  for (const file of reached) for (const { to } of runtimeImports(file)) reached.add(to);
  return reached;
}
