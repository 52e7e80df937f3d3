const MAX_QUOTED_LENGTH = 80;
const MAX_NAME_LENGTH = 200;
const MAX_ITEMS = 100;

/** The own field of an object, so that `__proto__` and the like are names as any other; undefined for null too. */
export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key] ?? undefined;
}

/** The field at the end of a path of fields. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce(field, value);
}

/** The text, or an empty one for anything else. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The first 100 items of an array, none for anything else. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_ITEMS) : [];
}

/** Foreign text for a detail: short, on one line, its ends visible. */
export function quote(foreign: string): string {
  const asNumber = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // JSON leaves those behind the printable ones as they are.
  return JSON.stringify(foreign.slice(0, MAX_QUOTED_LENGTH)).replace(/\p{Cc}/gu, asNumber);
}

/** Foreign text as the name of something: at most 200 characters, without control characters. */
export function shorten(foreign: string): string {
  return foreign.slice(0, MAX_NAME_LENGTH).replace(/\p{Cc}/gu, '');
}
