import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { writeFileDurably } from '../../shared/fs/durable-file.ts';
import { SCHEMES, SOURCE_KINDS } from '../domain/sources/sources.ts';
import { HOOK_ACTIONS } from '../domain/stored-hook.ts';
import type { BookEntry } from './hook-book.ts';

const texts = z.array(z.string());
const bytes = (encoding: BufferEncoding) =>
  z.string().transform((text) => Buffer.from(text, encoding));

const secret = z.union([
  z.object({ id: z.string(), digest: bytes('hex') }).transform(({ id, digest }) => ({
    ...{ id, digest, sealed: null, keyId: null },
  })),
  z
    .object({ id: z.string(), sealed: bytes('base64'), keyId: z.string() })
    .transform(({ id, sealed, keyId }) => ({ ...{ id, sealed, keyId, digest: null } })),
]);

const hook = z.object({
  name: z.string(),
  source: z.enum(SOURCE_KINDS),
  scheme: z.enum(SCHEMES),
  action: z.enum(HOOK_ACTIONS),
  images: texts,
  units: texts,
  networks: texts,
  registry: z.string().nullable(),
  image: z.string().nullable(),
  expiresAt: z.number().nullable(),
  disabledAt: z.number().nullable(),
  secrets: z.array(secret),
});

/** What whoever takes webhooks without the database knows of hooks: no more than the database itself has. */
const schema = z.object({ v: z.literal(1), hooks: z.array(z.unknown()) });

/** Writes the hooks down where they are others than before; durably, for one that was disabled must not come back. */
export function keepHooks(path: string, hooks: readonly BookEntry[]): void {
  const text = `${JSON.stringify({ v: 1, hooks: hooks.map(toKept) })}\n`;
  if (readText(path) !== text) writeFileDurably(path, text);
}

function toKept(entry: BookEntry) {
  const { name, source, scheme, action, images, units, networks, registry, image } = entry;
  const { expiresAt, disabledAt, secrets } = entry;
  return {
    ...{ name, source, scheme, action, images, units, networks, registry, image },
    ...{ expiresAt, disabledAt },
    secrets: secrets.map(({ id, digest, sealed, keyId }) =>
      digest === null
        ? { id, sealed: sealed?.toString('base64'), keyId }
        : { id, digest: digest.toString('hex') },
    ),
  };
}

/**
 * The hooks as they were written last; those that cannot be understood, as of another version, are none. Undefined: the file is
 * there and cannot be read now.
 */
export function readKeptHooks(path: string): readonly BookEntry[] | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    const kept = schema.parse(JSON.parse(text));
    return kept.hooks.flatMap((one) => {
      const parsed = hook.safeParse(one);
      return parsed.success ? [parsed.data] : [];
    });
  } catch {
    return [];
  }
}

/** Empty where there is no file. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? '' : undefined;
  }
}
