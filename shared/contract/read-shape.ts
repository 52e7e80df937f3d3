/**
 * Reads a value of unknown origin (a file, a message of another process): the value in its type, or undefined when it
 * is anything else. The supervisor reads with these, for the schema library alone would double its memory.
 */
export type Reader<T> = (raw: unknown) => T | undefined;

/** What a reader reads. */
export type ReadBy<R> = R extends Reader<infer T> ? T : never;

/** A text of at most `max` UTF-16 units. */
export function text(max: number): Reader<string> {
  return (raw) => (typeof raw === 'string' && raw.length <= max ? raw : undefined);
}

/** A text that fits the pattern. */
export function pattern(expected: RegExp): Reader<string> {
  return (raw) => (typeof raw === 'string' && expected.test(raw) ? raw : undefined);
}

/** A whole number from `min` to `max`. */
export function whole(min = 0, max = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (raw) =>
    typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= min && raw <= max
      ? raw
      : undefined;
}

/** True or false. */
export const flag: Reader<boolean> = (raw) => (typeof raw === 'boolean' ? raw : undefined);

/** One of a closed list. */
export function oneOf<const T extends string>(values: readonly T[]): Reader<T> {
  return (raw) => values.find((value) => value === raw);
}

/** Null, or what `reader` reads. */
export function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return (raw) => (raw === null ? null : reader(raw));
}

/** At most `max` items, each read by `reader`; one bad item spoils the list. */
export function list<T>(reader: Reader<T>, max: number): Reader<readonly T[]> {
  return (raw) => {
    if (!Array.isArray(raw) || raw.length > max) return undefined;
    const items = raw.map(reader);
    return items.every((item) => item !== undefined) ? (items as T[]) : undefined;
  };
}

type Fields = Readonly<Record<string, Reader<unknown>>>;
type ReadFields<F extends Fields> = { readonly [K in keyof F]: ReadBy<F[K]> };

/** An object with all these fields; further ones are left out of the result. */
export function shape<F extends Fields>(fields: F): Reader<ReadFields<F>> {
  return (raw) => {
    const object = asObject(raw);
    if (!object) return undefined;
    const read: Record<string, unknown> = {};
    for (const [name, reader] of Object.entries(fields)) {
      const value = reader(object[name]);
      if (value === undefined) return undefined;
      read[name] = value;
    }
    return read as ReadFields<F>;
  };
}

/** As `reader` reads it, or `fallback` where the field is absent: for what an older program did not write. */
export function absent<T>(reader: Reader<T>, fallback: T): Reader<T> {
  return (raw) => (raw === undefined ? fallback : reader(raw));
}

/** A JSON object, or undefined for arrays, null and everything else. */
export function asObject(raw: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
    ? (raw as Readonly<Record<string, unknown>>)
    : undefined;
}

/** The value of a JSON text, or undefined when it is none. A byte order mark is no JSON. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
