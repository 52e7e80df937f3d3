import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { writeFileDurably } from '../../shared/fs/durable-file.ts';
import type { UnitMarks } from '../domain/unit-triggers.ts';
import type { KnownUnits } from './known-units.ts';

/** What units say for themselves, for who takes webhooks and has no database. */
const schema = z.object({
  v: z.literal(1),
  host: z.string(),
  units: z.record(
    z.string(),
    z.object({
      isAutoUpdated: z.boolean(),
      hasPolicy: z.boolean(),
      webhookEnabled: z.boolean().nullable(),
    }),
  ),
  // Missing in what an earlier version wrote.
  images: z.record(z.string(), z.string()).default({}),
});

/** What is known of units by their names, as it was when somebody looked. */
export type KeptUnits = {
  readonly marks: ReadonlyMap<string, UnitMarks>;
  /** The images that their files name. */
  readonly images: ReadonlyMap<string, string>;
};

/** Writes them down where they are others than before. */
export function keepForStandby(path: string, host: string, known: Pick<KnownUnits, 'all'>): void {
  const all = known.all();
  const units = Object.fromEntries(
    all.flatMap(({ unit, marks }) => (marks ? [[unit, marks]] : [])),
  );
  const images = Object.fromEntries(
    all.flatMap(({ unit, image }) => (image ? [[unit, image]] : [])),
  );
  const text = `${JSON.stringify({ v: 1, host, units, images })}\n`;
  if (readText(path) !== text) writeFileDurably(path, text);
}

/** The same, as it was written last of this host; nothing where there is nothing that can be read. */
export function readForStandby(path: string, host: string): KeptUnits {
  try {
    const kept = schema.parse(JSON.parse(readText(path)));
    if (kept.host !== host) return NOTHING;
    const { units, images } = kept;
    return { marks: new Map(Object.entries(units)), images: new Map(Object.entries(images)) };
  } catch {
    return NOTHING;
  }
}

const NOTHING: KeptUnits = { marks: new Map(), images: new Map() };

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
