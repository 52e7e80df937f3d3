import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { HigherTags } from '../domain/tag-version.ts';
import type { TagFacts } from '../domain/update-verdict.ts';
import type { Database } from './open-database.ts';

type Fault = { readonly code: ErrorCode; readonly detail: string };

/** What was seen of a unit. Times are milliseconds since the epoch. */
export type CheckedUnit = {
  readonly unit: string;
  /** `registry/repository:tag`; null where it is not known. */
  readonly image: string | null;
  /** The same with the tag `latest`; null where that is its own. */
  readonly latestImage: string | null;
  /** `linux/amd64`; null where it did not have to be known. */
  readonly platform: string | null;
  /** Of each running container the digests of its image. */
  readonly containers: readonly (readonly string[])[];
  readonly seenAt: number;
  readonly failure: Fault | null;
  readonly higher: HigherFacts | null;
  readonly checkedAt: number;
};

/** The tags that are higher versions. */
export type HigherFacts = {
  readonly wanted: HigherTags;
  readonly tags: readonly string[];
  /** There are more tags than were read. */
  readonly isCut: boolean;
  readonly failure: Fault | null;
  readonly listedAt: number;
};

/** A unit with what is known of its tags. */
export type CheckedUnitFacts = CheckedUnit & {
  readonly tag: TagFacts | undefined;
  readonly latest: TagFacts | undefined | null;
};

/** The update_checks table. */
export type UpdateCheckTable = {
  /** By the name of the unit; one question for all of them. */
  list(): readonly CheckedUnitFacts[];
  put(row: CheckedUnit): void;
  /** What a deployment has seen to run; nothing where the unit was never looked at. */
  noteRunning(unit: string, digest: string, nowMs: number): void;
  /** What runs could not be seen; what was seen before stays beside that. */
  noteUnseen(units: readonly string[], failure: Fault, nowMs: number): void;
  /** Forgets all units but those. */
  keepOnly(units: readonly string[]): void;
};

type Row = {
  readonly unit: string;
  readonly image: string | null;
  readonly latest_image: string | null;
  readonly platform: string | null;
  readonly containers: string;
  readonly seen_at: number;
  readonly code: ErrorCode | null;
  readonly detail: string | null;
  readonly higher_wanted: HigherTags | null;
  readonly higher_tags: string | null;
  readonly higher_cut: 0 | 1;
  readonly higher_code: ErrorCode | null;
  readonly higher_detail: string | null;
  readonly higher_at: number | null;
  readonly checked_at: number;
} & TagColumns<'tag'> &
  TagColumns<'latest'>;

type TagColumns<P extends string> = {
  readonly [K in `${P}_digest` | `${P}_detail`]: string | null;
} & {
  /** JSON. */
  readonly [K in `${P}_manifests`]: string;
} & { readonly [K in `${P}_resolved_at` | `${P}_checked_at`]: number | null } & {
  readonly [K in `${P}_code`]: ErrorCode | null;
} & { readonly [K in `${P}_is_index`]: 0 | 1 | null };

const COLUMNS = (name: 'tag' | 'latest') =>
  `${name}.digest AS ${name}_digest, ${name}.is_index AS ${name}_is_index,
   ${name}.resolved_at AS ${name}_resolved_at, ${name}.checked_at AS ${name}_checked_at,
   ${name}.code AS ${name}_code, ${name}.detail AS ${name}_detail,
   (SELECT json_group_array(digest) FROM index_manifests
      WHERE index_digest = ${name}.digest AND platform = checked.platform) AS ${name}_manifests`;
const JOIN = (name: 'tag' | 'latest', column: string) =>
  `LEFT JOIN registry_tags AS ${name} ON ${name}.image = checked.${column}`;

/** Prepares the statements of the table. */
export function openUpdateCheckTable(database: Database): UpdateCheckTable {
  const list = database.prepare<[], Row>(
    `SELECT checked.*, ${COLUMNS('tag')}, ${COLUMNS('latest')} FROM update_checks AS checked
     ${JOIN('tag', 'image')} ${JOIN('latest', 'latest_image')} ORDER BY checked.unit`,
  );
  const put = database.prepare(
    `INSERT OR REPLACE INTO update_checks (unit, image, latest_image, platform, containers, seen_at, code, detail,
       higher_wanted, higher_tags, higher_cut, higher_code, higher_detail, higher_at, checked_at)
     VALUES (@unit, @image, @latestImage, @platform, @containers, @seenAt, @code, @detail,
       @higherWanted, @higherTags, @higherCut, @higherCode, @higherDetail, @higherAt, @checkedAt)`,
  );
  const containersOf = database
    .prepare<[string], string>('SELECT containers FROM update_checks WHERE unit = ?')
    .pluck();
  const noteRunning = database.prepare(
    `UPDATE update_checks SET containers = ?, seen_at = ?, code = NULL, detail = NULL WHERE unit = ?`,
  );
  const noteUnseen = database.prepare(
    `UPDATE update_checks SET code = @code, detail = @detail, checked_at = @now
     WHERE unit IN (SELECT value FROM json_each(@units))`,
  );
  const keepOnly = database.prepare(
    'DELETE FROM update_checks WHERE unit NOT IN (SELECT value FROM json_each(?))',
  );
  return {
    list: () => list.all().map(readRow),
    put: ({ failure, higher, containers, ...row }) => {
      put.run({
        ...row,
        containers: JSON.stringify(containers),
        code: failure?.code ?? null,
        detail: failure?.detail ?? null,
        higherWanted: higher?.wanted ?? null,
        higherTags: higher ? JSON.stringify(higher.tags) : null,
        higherCut: Number(higher?.isCut ?? false),
        higherCode: higher?.failure?.code ?? null,
        higherDetail: higher?.failure?.detail ?? null,
        higherAt: higher?.listedAt ?? null,
      });
    },
    noteRunning: (unit, digest, nowMs) => {
      const known = containersOf.get(unit);
      if (known === undefined) return;
      const containers = JSON.parse(known) as CheckedUnit['containers'];
      // The other digests of that image stay known.
      const seen = containers.find((digests) => digests.includes(digest)) ?? [digest];
      noteRunning.run(JSON.stringify([seen]), nowMs, unit);
    },
    noteUnseen: (units, { code, detail }, now) => {
      noteUnseen.run({ units: JSON.stringify(units), code, detail, now });
    },
    keepOnly: (units) => {
      keepOnly.run(JSON.stringify(units));
    },
  };
}

function readRow(row: Row): CheckedUnitFacts {
  return {
    unit: row.unit,
    image: row.image,
    latestImage: row.latest_image,
    platform: row.platform,
    containers: JSON.parse(row.containers) as readonly (readonly string[])[],
    seenAt: row.seen_at,
    failure: fault(row.code, row.detail),
    higher: readHigher(row),
    checkedAt: row.checked_at,
    tag: readTag({
      digest: row.tag_digest,
      isIndex: row.tag_is_index,
      manifests: row.tag_manifests,
      resolvedAt: row.tag_resolved_at,
      checkedAt: row.tag_checked_at,
      failure: fault(row.tag_code, row.tag_detail),
    }),
    latest:
      row.latest_image === null
        ? null
        : readTag({
            digest: row.latest_digest,
            isIndex: row.latest_is_index,
            manifests: row.latest_manifests,
            resolvedAt: row.latest_resolved_at,
            checkedAt: row.latest_checked_at,
            failure: fault(row.latest_code, row.latest_detail),
          }),
  };
}

function readHigher(row: Row): HigherFacts | null {
  if (row.higher_wanted === null || row.higher_at === null) return null;
  return {
    wanted: row.higher_wanted,
    tags: JSON.parse(row.higher_tags ?? '[]') as readonly string[],
    isCut: row.higher_cut === 1,
    failure: fault(row.higher_code, row.higher_detail),
    listedAt: row.higher_at,
  };
}

type JoinedTag = Omit<TagFacts, 'isIndex' | 'checkedAt' | 'platformDigests'> & {
  readonly isIndex: 0 | 1 | null;
  readonly checkedAt: number | null;
  readonly manifests: string;
};

/** Undefined where the join found none. */
function readTag({ isIndex, checkedAt, manifests, ...tag }: JoinedTag): TagFacts | undefined {
  if (checkedAt === null) return undefined;
  const platformDigests = JSON.parse(manifests) as readonly string[];
  return { ...tag, checkedAt, platformDigests, isIndex: isIndex === 1 };
}

function fault(code: ErrorCode | null, detail: string | null): Fault | null {
  return code === null ? null : { code, detail: detail ?? '' };
}
