import type { BadImage } from '../domain/deployment.ts';
import { familyPattern } from '../domain/unit-template.ts';
import type { Database } from './open-database.ts';

/** An image that failed for a unit. Times are milliseconds since the epoch. */
export type QuarantineRow = BadImage & {
  /** How often it has failed. */
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
  /** Null: until it is released. */
  readonly expires_at: number | null;
  /** The file that keeps podman's own timer off the unit; null where there is none. */
  readonly guard: string | null;
};

/** What is written of a failure. */
export type NewQuarantine = BadImage & {
  readonly at: number;
  readonly expires_at: number | null;
};

/** The quarantined_images table. */
export type QuarantineTable = {
  /**
   * By the digest or the local id of an image; undefined where it never failed, was released, or its time is over. What
   * failed for one instance of a template counts for all of them.
   */
  find(unit: string, image: string, nowMs: number): QuarantineRow | undefined;
  /** Counts on where it is there already. */
  add(failed: NewQuarantine): void;
  /**
   * From what podman's own timer is to be kept off: an image in quarantine, until its tag is known to mean another one,
   * to which the unit was brought. With it everything that has a guard, whether it is to have one or not (`is_wanted` 0).
   */
  listGuards(nowMs: number): (QuarantineRow & { readonly is_wanted: 0 | 1 })[];
  /** The guard of every image of a unit. */
  setGuard(unit: string, guard: string | null): void;
  /** Newest first. */
  list(nowMs: number): QuarantineRow[];
  count(nowMs: number): number;
  /** Takes over what was in quarantine in another database, where it is not known here; how many there were. */
  carryOver(rows: readonly QuarantineRow[]): number;
  /** Lets one digest of a unit be deployed again, or all of them; how many there were. */
  release(unit: string, digest?: string): number;
};

/** Prepares the statements of the table. */
export function openQuarantineTable(database: Database): QuarantineTable {
  const find = database.prepare<object, QuarantineRow>(
    `SELECT * FROM quarantined_images WHERE (unit = @unit OR unit GLOB @family)
       AND (digest = @image OR image_id = @image) AND (expires_at IS NULL OR expires_at > @now)
     ORDER BY unit <> @unit, last_at DESC LIMIT 1`,
  );
  const add = database.prepare(
    `INSERT INTO quarantined_images (unit, digest, image, image_id, code, detail, count, first_at, last_at, expires_at)
     VALUES (@unit, @digest, @image, @image_id, @code, @detail, 1, @at, @at, @expires_at)
     ON CONFLICT (unit, digest) DO UPDATE SET image = excluded.image, image_id = excluded.image_id, code = excluded.code,
       detail = excluded.detail, count = count + 1, last_at = excluded.last_at, expires_at = excluded.expires_at`,
  );
  const count = database
    .prepare<[number], number>(
      'SELECT count(*) FROM quarantined_images WHERE expires_at IS NULL OR expires_at > ?',
    )
    .pluck();
  const list = database.prepare<[number], QuarantineRow>(
    `SELECT * FROM quarantined_images WHERE expires_at IS NULL OR expires_at > ?
     ORDER BY last_at DESC, unit, digest`,
  );
  const listGuards = database.prepare<[number], QuarantineRow & { is_wanted: 0 | 1 }>(
    `SELECT * FROM (SELECT bad.*, (expires_at IS NULL OR expires_at > ?) AND NOT EXISTS (
         SELECT 1 FROM deployments AS later JOIN tasks ON tasks.id = later.task_id
           WHERE later.unit = bad.unit AND tasks.status = 'succeeded' AND tasks.wanted IS NULL
             AND later.wanted_digest <> bad.digest AND later.updated_at > bad.last_at
       ) AS is_wanted FROM quarantined_images AS bad)
     WHERE is_wanted OR guard IS NOT NULL ORDER BY unit, is_wanted DESC, digest`,
  );
  const carryOver = database.prepare(
    `INSERT INTO quarantined_images (unit, digest, image, image_id, code, detail, count, first_at, last_at, expires_at, guard)
     VALUES (@unit, @digest, @image, @image_id, @code, @detail, @count, @first_at, @last_at, @expires_at, @guard)
     ON CONFLICT (unit, digest) DO NOTHING`,
  );
  const setGuard = database.prepare('UPDATE quarantined_images SET guard = ? WHERE unit = ?');
  const release = database.prepare(
    'DELETE FROM quarantined_images WHERE unit = ? AND digest = coalesce(?, digest)',
  );
  return {
    find: (unit, image, now) => find.get({ unit, image, now, family: familyPattern(unit) }),
    add: (failed) => void add.run(failed),
    listGuards: (nowMs) => listGuards.all(nowMs),
    setGuard: (unit, guard) => void setGuard.run(guard, unit),
    count: (nowMs) => count.get(nowMs) ?? 0,
    list: (nowMs) => list.all(nowMs),
    carryOver: (rows) => rows.reduce((sum, row) => sum + carryOver.run(row).changes, 0),
    release: (unit, digest) => release.run(unit, digest ?? null).changes,
  };
}
