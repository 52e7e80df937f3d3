import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { HostLimit } from '../domain/registry-quota.ts';
import type { Database } from './open-database.ts';

/** What a tag means, when that was said. */
export type TagAnswer = { readonly digest: string; readonly isIndex: boolean };

/** What registries have said: of tags, of indexes, and of how much may be asked of them. Times are milliseconds. */
export type RegistryAnswers = {
  /** When each tag was last asked for with an answer; undefined: never, or the last question was not answered. */
  answeredAt(image: string): number | undefined;
  noteTag(image: string, answer: TagAnswer, nowMs: number): void;
  /** Keeps what the tag meant before. */
  noteFailure(
    image: string,
    failure: { readonly code: ErrorCode; readonly detail: string },
    nowMs: number,
  ): void;
  /** What it meant when that was last said. */
  findTag(image: string): TagAnswer | undefined;
  noteManifest(indexDigest: string, platform: string, digest: string): void;
  /** Whether manifests of the index are known for the platform. */
  hasManifests(indexDigest: string, platform: string): boolean;
  limitOf(host: string): HostLimit | undefined;
  noteLimit(host: string, limit: HostLimit, nowMs: number): void;
  listLimits(): readonly (HostLimit & { readonly host: string; readonly updatedAt: number })[];
  /** Forgets tags that were last asked for before then, indexes that no tag means, and hosts. */
  forgetBefore(beforeMs: number): void;
};

type LimitRow = {
  readonly host: string;
  readonly quota_limit: number | null;
  readonly quota_remaining: number | null;
  readonly quota_window_s: number | null;
  readonly quota_reset_s: number | null;
  readonly paused_until: number;
  readonly refusals: number;
  readonly updated_at: number;
};

/** Prepares the statements of the tables registry_tags, index_manifests and registry_hosts. */
export function openRegistryAnswers(database: Database): RegistryAnswers {
  const answeredAt = database
    .prepare<[string], number>(
      'SELECT checked_at FROM registry_tags WHERE image = ? AND code IS NULL AND resolved_at = checked_at',
    )
    .pluck();
  const noteTag = database.prepare(
    `INSERT OR REPLACE INTO registry_tags (image, digest, is_index, resolved_at, checked_at, code, detail)
     VALUES (@image, @digest, @isIndex, @now, @now, NULL, NULL)`,
  );
  const noteFailure = database.prepare(
    `INSERT INTO registry_tags (image, checked_at, code, detail) VALUES (@image, @now, @code, @detail)
     ON CONFLICT (image) DO UPDATE SET checked_at = @now, code = @code, detail = @detail`,
  );
  const findTag = database.prepare<[string], { digest: string; is_index: 0 | 1 }>(
    'SELECT digest, is_index FROM registry_tags WHERE image = ? AND digest IS NOT NULL',
  );
  const noteManifest = database.prepare(
    'INSERT OR REPLACE INTO index_manifests (index_digest, platform, digest) VALUES (?, ?, ?)',
  );
  const findManifest = database.prepare(
    'SELECT 1 FROM index_manifests WHERE index_digest = ? AND platform = ? LIMIT 1',
  );
  const limitOf = database.prepare<[string], LimitRow>(
    'SELECT * FROM registry_hosts WHERE host = ?',
  );
  const listLimits = database.prepare<[], LimitRow>('SELECT * FROM registry_hosts ORDER BY host');
  const noteLimit = database.prepare(
    `INSERT OR REPLACE INTO registry_hosts
       (host, quota_limit, quota_remaining, quota_window_s, quota_reset_s, paused_until, refusals, updated_at)
     VALUES (@host, @limit, @remaining, @windowS, @resetS, @pausedUntil, @refusals, @now)`,
  );
  const forget = [
    database.prepare('DELETE FROM registry_tags WHERE checked_at < ?'),
    database.prepare('DELETE FROM registry_hosts WHERE updated_at < ?'),
  ];
  const forgetManifests = database.prepare(
    'DELETE FROM index_manifests WHERE index_digest NOT IN (SELECT digest FROM registry_tags WHERE digest IS NOT NULL)',
  );
  return {
    answeredAt: (image) => answeredAt.get(image),
    noteTag: (image, { digest, isIndex }, now) => {
      noteTag.run({ image, digest, isIndex: Number(isIndex), now });
    },
    noteFailure: (image, { code, detail }, now) => {
      noteFailure.run({ image, code, detail, now });
    },
    findTag: (image) => {
      const row = findTag.get(image);
      return row && { digest: row.digest, isIndex: row.is_index === 1 };
    },
    noteManifest: (indexDigest, platform, digest) => {
      noteManifest.run(indexDigest, platform, digest);
    },
    hasManifests: (indexDigest, platform) => findManifest.get(indexDigest, platform) !== undefined,
    limitOf: (host) => {
      const row = limitOf.get(host);
      return row && readLimit(row);
    },
    noteLimit: (host, { quota, pausedUntil, refusals }, now) => {
      const none = { limit: null, remaining: null, windowS: null, resetS: null };
      noteLimit.run({ host, ...(quota ?? none), pausedUntil, refusals, now });
    },
    listLimits: () =>
      listLimits
        .all()
        .map((row) => ({ host: row.host, updatedAt: row.updated_at, ...readLimit(row) })),
    forgetBefore: (beforeMs) => {
      for (const statement of forget) statement.run(beforeMs);
      forgetManifests.run();
    },
  };
}

function readLimit(row: LimitRow): HostLimit {
  const { quota_limit: limit, quota_remaining: remaining } = row;
  const hasQuota = limit !== null && remaining !== null;
  const { quota_window_s: windowS, quota_reset_s: resetS } = row;
  return {
    quota: hasQuota ? { limit, remaining, windowS, resetS } : null,
    pausedUntil: row.paused_until,
    refusals: row.refusals,
  };
}
