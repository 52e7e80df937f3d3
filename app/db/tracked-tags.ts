import type { Database } from './open-database.ts';

/** A unit that deliveries are expected for, with what is known of its tag. Times are milliseconds since the epoch. */
export type TrackedTag = {
  readonly unit: string;
  /** `registry/repository:tag`; null: it was not looked up yet. */
  readonly image: string | null;
  /** What the tag meant when that was last taken for granted. */
  readonly digest: string | null;
  readonly seen_at: number;
};

/** A unit that an accepted delivery was for, of whose repository the other tags were not looked up yet. */
export type PushedUnit = {
  readonly unit: string;
  readonly pushed_at: number;
  readonly pushed_image: string;
  /** The id of the delivery. */
  readonly pushed_by: string;
};

/** The tracked_tags table. */
export type TrackedTagTable = {
  list(): TrackedTag[];
  /** An accepted delivery was for the unit; `image` is the name that the unit runs, null where that is not known. */
  notePush(unit: string, image: string | null, delivery: string, at: number): void;
  listPushed(): PushedUnit[];
  /** The other tags were looked up after these pushes; a later push of the same unit stays. */
  forgetPushed(pushes: readonly Pick<PushedUnit, 'unit' | 'pushed_at'>[]): void;
  /** Whether an accepted delivery or a task of the unit was about that digest at that time or later. */
  isNamed(unit: string, digest: string, since: number): boolean;
  /** From now on the tag of the unit is known to mean that. */
  see(unit: string, image: string, digest: string, at: number): void;
};

/** Of a unit; older ones are about what was pushed long ago. */
const TASKS_LOOKED_AT = 50;

/** Prepares the statements of the table. */
export function openTrackedTagTable(database: Database): TrackedTagTable {
  const list = database.prepare<[], TrackedTag>(
    'SELECT unit, image, digest, seen_at FROM tracked_tags ORDER BY unit',
  );
  const notePush = database.prepare(
    `INSERT INTO tracked_tags (unit, pushed_at, pushed_image, pushed_by, seen_at)
     VALUES (@unit, iif(@image IS NULL, NULL, @at), @image, @delivery, @at)
     ON CONFLICT (unit) DO UPDATE SET pushed_at = @at, pushed_image = @image, pushed_by = @delivery
       WHERE @image IS NOT NULL`,
  );
  const listPushed = database.prepare<[], PushedUnit>(
    `SELECT unit, pushed_at, pushed_image, pushed_by FROM tracked_tags
     WHERE pushed_at IS NOT NULL ORDER BY pushed_at, unit`,
  );
  const forgetPushed = database.prepare(
    'UPDATE tracked_tags SET pushed_at = NULL WHERE unit = ? AND pushed_at <= ?',
  );
  const see = database.prepare(
    `INSERT INTO tracked_tags (unit, image, digest, seen_at) VALUES (@unit, @image, @digest, @at)
     ON CONFLICT (unit) DO UPDATE SET image = @image, digest = @digest, seen_at = @at`,
  );
  const isNamed = database
    .prepare<object, 0 | 1>(
      `SELECT EXISTS (SELECT 1 FROM deliveries WHERE unit = @unit AND verdict = 'accepted'
           AND received_at >= @since AND digest = @digest)
         OR EXISTS (SELECT 1 FROM (SELECT registry_digest, coalesce(finished_at, updated_at) AS at FROM tasks
           WHERE unit = @unit ORDER BY created_at DESC, id DESC LIMIT ${TASKS_LOOKED_AT})
           WHERE registry_digest = @digest AND at >= @since)`,
    )
    .pluck();
  return {
    isNamed: (unit, digest, since) => isNamed.get({ unit, digest, since }) === 1,
    list: () => list.all(),
    notePush: (unit, image, delivery, at) => void notePush.run({ unit, image, delivery, at }),
    listPushed: () => listPushed.all(),
    forgetPushed: (pushes) => {
      for (const { unit, pushed_at: at } of pushes) forgetPushed.run(unit, at);
    },
    see: (unit, image, digest, at) => void see.run({ unit, image, digest, at }),
  };
}
