import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceKind } from '../../app/domain/sources/source.ts';
import { SOURCES } from '../../app/domain/sources/sources.ts';

/** A delivery as its sender sends it, and what it has to come to. Headers and names of people are made up. */
export type Sample = {
  readonly source: SourceKind;
  readonly name: string;
  readonly about: string;
  readonly contentType: string;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the hook says of the registry. */
  readonly registry?: string;
  readonly body: unknown;
  readonly expected: {
    readonly event: string;
    /** The name of the delivery; `body`: one made of its bytes; null: none. */
    readonly delivery: string | null;
    readonly kind: string;
    readonly action?: string;
    readonly reason?: string;
    readonly pushes?: readonly { image: string; tags: readonly string[]; digest?: string }[];
  };
};

const FOLDER = join(import.meta.dirname, '../fixtures/hooks');

/** Every sample, those of one source after another. */
export const SAMPLES: readonly Sample[] = (Object.keys(SOURCES) as SourceKind[]).flatMap((source) =>
  readdirSync(join(FOLDER, source))
    .sort()
    .map((file) => ({
      source,
      name: file.replace(/\.json$/, ''),
      ...JSON.parse(readFileSync(join(FOLDER, source, file), 'utf8')),
    })),
);

/** The bytes that its sender sends. */
export function bodyOf({ contentType, body }: Pick<Sample, 'contentType' | 'body'>): string {
  const json = JSON.stringify(body);
  if (!contentType.startsWith('application/x-www-form-urlencoded')) return json;
  return new URLSearchParams({ payload: json }).toString();
}

/** The checksum of bytes, as names of deliveries have it. */
export function sha256(bytes: string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
