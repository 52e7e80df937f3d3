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
});

/** Writes them down where they are others than before. */
export function keepForStandby(path: string, host: string, known: Pick<KnownUnits, 'all'>): void {
  const found = known.all().flatMap(({ unit, marks }) => (marks ? [[unit, marks] as const] : []));
  const text = `${JSON.stringify({ v: 1, host, units: Object.fromEntries(found) })}\n`;
  if (readText(path) !== text) writeFileDurably(path, text);
}

/** The same, as it was written last of this host; nothing where there is nothing that can be read. */
export function readForStandby(path: string, host: string): ReadonlyMap<string, UnitMarks> {
  try {
    const kept = schema.parse(JSON.parse(readText(path)));
    return new Map(kept.host === host ? Object.entries(kept.units) : []);
  } catch {
    return new Map();
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
