import { dirname } from 'node:path';
import * as z from 'zod';
import { appendDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import { realFiles } from '../../shared/fs/files.ts';

const KINDS = ['token', 'secret', 'hook', 'disabled'] as const;

/** A credential that was revoked. */
export type Revocation = {
  /** A token, a secret of a hook, a hook that was removed, a hook that was disabled. */
  readonly kind: (typeof KINDS)[number];
  /** The id of the token or of the secret, the name of the hook. */
  readonly name: string;
  /** When the hook was made, in milliseconds: another one may have its name by now. 0 of what has an id. */
  readonly made: number;
  /** When it was revoked, in milliseconds. */
  readonly at: number;
  readonly by: string;
};

/** What tells one from all others. */
export type RevocationKey = Pick<Revocation, 'kind' | 'name' | 'made'>;

/** What is in the file. */
export type KeptRevocations = {
  readonly entries: ReadonlyMap<string, Revocation>;
  /** Lines that cannot be read, but for a last one that was cut off: nobody was told that it is written. */
  readonly unreadable: number;
  readonly lines: number;
  /** The last line was cut off, so that nothing may be put behind it. */
  readonly isTorn: boolean;
};

const NOTHING: KeptRevocations = {
  ...{ entries: new Map(), unreadable: 0, lines: 0, isTorn: false },
};

/** Several times of what ten thousand lines take; what is longer is not ours. */
const MAX_BYTES = 16 * 1024 * 1024;

const key = { name: z.string(), made: z.number().int() };
const line = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(KINDS), ...key, at: z.number(), by: z.string() }),
  // A hook that was disabled is not any more.
  z.object({ kind: z.literal('enabled'), ...key }),
]);

/** Where what was revoked is kept beside the database at `path`, and beside a copy that is to take its place. */
export function revocationFile(path: string): string {
  return `${dirname(path)}/revocations.jsonl`;
}

/** By what a map of them goes. */
export function keyOf({ kind, name, made }: RevocationKey): string {
  return `${kind} ${name} ${made}`;
}

/** Reads the file; nothing is in one that is missing. @throws the system's error where it cannot be read. */
export function readRevocations(file: string): KeptRevocations {
  const bytes = realFiles.read(file, MAX_BYTES);
  if (!bytes || bytes.length === 0) return NOTHING;
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  const isTorn = lines.pop() !== '';
  const entries = new Map<string, Revocation>();
  let unreadable = 0;
  for (const text of lines) {
    const read = readLine(text);
    if (!read) unreadable++;
    else if (read.kind === 'enabled') entries.delete(keyOf({ ...read, kind: 'disabled' }));
    else entries.set(keyOf(read), read);
  }
  return { entries, unreadable, lines: lines.length, isTorn };
}

function readLine(text: string): z.output<typeof line> | undefined {
  try {
    return line.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Puts lines behind those that are there; durably. @throws the system's error. */
export function appendRevocations(file: string, revocations: readonly Revocation[]): void {
  appendDurably(file, revocations.map(toLine).join(''));
}

/** Takes back that a hook is disabled; durably. @throws the system's error. */
export function appendEnabled(file: string, { name, made }: RevocationKey): void {
  appendDurably(file, `${JSON.stringify({ kind: 'enabled', name, made })}\n`);
}

/** From now on these, and no others; durably. @throws the system's error. */
export function writeRevocations(file: string, revocations: readonly Revocation[]): void {
  writeFileDurably(file, revocations.map(toLine).join(''));
}

function toLine({ kind, name, made, at, by }: Revocation): string {
  return `${JSON.stringify({ kind, name, made, at, by })}\n`;
}
