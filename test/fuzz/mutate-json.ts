import fc from 'fast-check';

/** One change to a JSON value, at the place that the number comes to when places are counted. */
export type Edit = {
  readonly place: number;
  readonly how: 'replace' | 'remove' | 'rename' | 'wrap' | 'repeat';
  readonly value: unknown;
};

type Place = { readonly holder: Record<string, unknown> | unknown[]; readonly key: string };

const MAX_PLACES = 400;
const DIGEST = `sha256:${'0a'.repeat(32)}`;
const LONG = 'x'.repeat(100_000);

/** Texts at which readers of images, tags, digests, names and lines have broken before, anywhere. */
const TRICKY: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\r\nb: c',
  '\u2028\u2029',
  '\ud800',
  '\u202egpj.exe',
  '__proto__',
  'constructor',
  'toString',
  '-rf',
  '--help',
  '../../etc/passwd',
  '%2e%2e%2f',
  DIGEST,
  DIGEST.toUpperCase(),
  DIGEST.slice(0, -1),
  DIGEST.replace(':', '-'),
  `${DIGEST.replace(':', '-')}.sig`,
  `sha512:${'0'.repeat(128)}`,
  'latest',
  'LATEST',
  'x'.repeat(128),
  'x'.repeat(129),
  'ghcr.io/Octo/Hello:',
  'ghcr.io/octo/hello:v1@sha256:',
  `ghcr.io/octo/hello@${DIGEST}`,
  'https://ghcr.io/octo/hello',
  'docker.io/library/nginx',
  'index.docker.io/nginx',
  'localhost:5000/a',
  '[::1]:5000/a',
  'user:pass@reg.example/a',
  'reg.example:99999/a',
  'a/'.repeat(200),
  '0a'.repeat(32),
  'a'.repeat(64),
  '-'.repeat(5_000),
  `${'a-'.repeat(5_000)}!`,
  LONG,
  `ghcr.io/${LONG}`,
  `${LONG}:${LONG}`,
  'published',
  'pushed',
  'push',
  'success',
  'PUSH_ARTIFACT',
  'harbor.artifact.pushed',
  'zotregistry.image.updated',
  'container',
  '1.0',
];

/** As deep as a copy of it can be made; deeper ones have a test of their own. */
const DEEP: unknown = JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`);
const POISONED: unknown = JSON.parse(
  '{"__proto__":{"action":"push"},"constructor":{"prototype":{"x":1}},"hasOwnProperty":1,"toString":null}',
);
const MANY: readonly unknown[] = new Array<unknown>(5_000).fill('latest');

/** Any text that may stand in a field or a header. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...TRICKY) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z0-9.:/@_-]{0,40}$/) },
);

/** Undefined, and once in so many times something. */
export function rarely<T>(oneIn: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: oneIn - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary },
  );
}

/** Any JSON, with what breaks readers among it. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: anyText },
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, true, 0, -1, 1e308, 2 ** 53, [], {}) },
  { weight: 1, arbitrary: fc.constantFrom(DEEP, POISONED, MANY) },
);

/** Any change to a value. */
export const anyEdit: fc.Arbitrary<Edit> = fc.record({
  place: fc.nat(MAX_PLACES),
  how: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'rename', 'wrap', 'repeat'),
  value: anyJson,
});

/** The value with the changes made one after another; the value itself stays as it is. */
export function applyEdits(value: unknown, edits: readonly Edit[]): unknown {
  const root: Record<string, unknown> = { value: structuredClone(value) };
  for (const edit of edits) {
    const places = findPlaces(root);
    const place = places[edit.place % places.length];
    if (place) applyEdit(place, { ...edit, value: structuredClone(edit.value) });
  }
  return root['value'];
}

/** Breadth first, so that however large a value is, its upper fields are among the places. */
function findPlaces(root: Record<string, unknown>): readonly Place[] {
  const places: Place[] = [{ holder: root, key: 'value' }];
  for (let at = 0; at < places.length && places.length < MAX_PLACES; at++) {
    const { holder, key } = places[at] as Place;
    const value = get(holder, key);
    if (typeof value !== 'object' || value === null) continue;
    const keys = Array.isArray(value)
      ? value.slice(0, 20).map((_, index) => String(index))
      : Object.keys(value);
    for (const inner of keys) places.push({ holder: value as Record<string, unknown>, key: inner });
  }
  return places;
}

function get(holder: Place['holder'], key: string): unknown {
  return Object.getOwnPropertyDescriptor(holder, key)?.value;
}

/** As `JSON.parse` does: a key such as `__proto__` becomes a field like any other. */
function set(holder: Place['holder'], key: string, value: unknown): void {
  const as = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(holder, key, as);
}

function applyEdit({ holder, key }: Place, { how, value }: Edit): void {
  const before = get(holder, key);
  switch (how) {
    case 'replace':
      set(holder, key, value);
      break;
    case 'wrap':
      set(holder, key, [before, { value: before }]);
      break;
    case 'repeat':
      set(holder, key, Array.isArray(before) ? [...before, ...before, ...before] : [before]);
      break;
    case 'remove':
      set(holder, key, null);
      break;
    case 'rename':
      // Arrays have no such keys in JSON.
      if (Array.isArray(holder)) set(holder, key, value);
      else set(holder, typeof value === 'string' ? value : 'events', before);
      break;
  }
}
