import type { Database } from './open-database.ts';

/** The image_sightings table: since when an image is known to be there for a unit. */
export type SightingTable = {
  /** When it was seen first, milliseconds since the epoch; now, where it never was. */
  note(unit: string, digest: string, nowMs: number): number;
  /** The same without noting it: undefined where it never was. */
  find(unit: string, digest: string): number | undefined;
};

/** Prepares the statements of the table. */
export function openSightingTable(database: Database): SightingTable {
  const note = database
    .prepare<[string, string, number], number>(
      `INSERT INTO image_sightings (unit, digest, first_at) VALUES (?, ?, ?)
       ON CONFLICT (unit, digest) DO UPDATE SET first_at = first_at RETURNING first_at`,
    )
    .pluck();
  const find = database
    .prepare<[string, string], number>(
      'SELECT first_at FROM image_sightings WHERE unit = ? AND digest = ?',
    )
    .pluck();
  return {
    find: (unit, digest) => find.get(unit, digest),
    note: (unit, digest, nowMs) => note.get(unit, digest, nowMs) ?? nowMs,
  };
}
