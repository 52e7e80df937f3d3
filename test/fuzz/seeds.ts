import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../helpers/hook-samples.ts';
import type { SourceInput } from './fuzz-sources.ts';
import type { RequestInput } from './request-input.ts';

/** An input at which something broke once; each is tried again in the normal tests. */
export type Seed =
  | { readonly kind: 'source'; readonly input: SourceInput }
  | { readonly kind: 'request'; readonly input: RequestInput };

type InputOf<K extends Seed['kind']> = (Seed & { readonly kind: K })['input'];

const FOLDER = join(import.meta.dirname, 'seeds');

/** Those of one kind. */
export function readSeeds<K extends Seed['kind']>(kind: K): readonly InputOf<K>[] {
  mkdirSync(FOLDER, { recursive: true });
  return readdirSync(FOLDER)
    .sort()
    .map((file): Seed => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')))
    .filter((seed) => seed.kind === kind)
    .map(({ input }) => input as InputOf<K>);
}

/** Keeps one, under a name made of it; gives the path of its file. */
export function keepSeed(seed: Seed): string {
  mkdirSync(FOLDER, { recursive: true });
  const text = `${JSON.stringify(seed, null, 2)}\n`;
  const path = join(FOLDER, `${seed.kind}-${sha256(text).slice(0, 12)}.json`);
  writeFileSync(path, text);
  return path;
}
