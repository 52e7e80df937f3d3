import type { AskedBefore } from '../domain/failed-deliveries.ts';
import type { Database } from './open-database.ts';

/** A hook of GitHub. Times are milliseconds since the epoch. */
export type GithubHookRow = {
  /** See `parseGithubHook`. */
  readonly name: string;
  readonly id: string;
  /** Null where only the settings name it. */
  readonly learned_at: number | null;
  /** By GitHub's clock: what it delivered before is settled. */
  readonly settled_until: number | null;
  /** The code of what the last look came to; null: it went well. */
  readonly failure: string | null;
};

/** The tables github_hooks and asked_deliveries. */
export type GithubDeliveryTables = {
  /** Whether a delivery of it has said before whose hook it is. */
  isLearned(id: string): boolean;
  /** Remembers a hook that has delivered; of more than 100 none. */
  learn(name: string, id: string, at: number): void;
  /** It is not there under that name any more; of more than 300 hooks those that failed so are forgotten. */
  unlearn(name: string): void;
  find(name: string): GithubHookRow | undefined;
  /** Those that have delivered, by name. */
  listLearned(): string[];
  /** What the last look came to; undefined leaves what is settled. */
  noteLook(
    name: string,
    id: string,
    look: { readonly settledUntil?: number | undefined; readonly failure: string | null },
  ): void;
  /** Which of the deliveries of that hook this host has, whatever it made of them. */
  findHere(id: string, guids: readonly string[]): ReadonlySet<string>;
  /** How often and when they were asked for again. */
  findAsked(id: string, guids: readonly string[]): ReadonlyMap<string, AskedBefore>;
  /** It is about to be asked for again. */
  ask(id: string, guid: string, at: number): void;
  /** GitHub could not be asked after all. */
  unask(id: string, guid: string): void;
  /** How many have arrived since then that were asked for, and when the last one did. */
  countArrived(since: number): { readonly count: number; readonly last_at: number | null };
  /** Forgets what was asked for before that. */
  forgetBefore(at: number): void;
};

const MAX_LEARNED = 100;
/** Anybody who has one good delivery can say of it that it is of any hook: those that are not there must not gather. */
const MAX_ROWS = 300;

/** Prepares the statements of both tables. */
export function openGithubDeliveryTables(database: Database): GithubDeliveryTables {
  const isLearned = database.prepare<[string]>(
    'SELECT 1 FROM github_hooks WHERE id = ? AND learned_at IS NOT NULL',
  );
  const learn = database.prepare(
    `INSERT INTO github_hooks (name, id, learned_at) SELECT @name, @id, @at
       WHERE (SELECT count(*) FROM github_hooks WHERE learned_at IS NOT NULL) < ${MAX_LEARNED}
     ON CONFLICT (name) DO UPDATE SET learned_at = @at`,
  );
  const unlearn = database.prepare('UPDATE github_hooks SET learned_at = NULL WHERE name = ?');
  const forgetUnlearned = database.prepare(
    `DELETE FROM github_hooks WHERE learned_at IS NULL AND failure IS NOT NULL
       AND (SELECT count(*) FROM github_hooks) > ${MAX_ROWS}`,
  );
  const find = database.prepare<[string], GithubHookRow>(
    'SELECT * FROM github_hooks WHERE name = ?',
  );
  const listLearned = database
    .prepare<[], string>('SELECT name FROM github_hooks WHERE learned_at IS NOT NULL ORDER BY name')
    .pluck();
  const noteLook = database.prepare(
    `INSERT INTO github_hooks (name, id, settled_until, failure) VALUES (@name, @id, @settled, @failure)
     ON CONFLICT (name) DO UPDATE SET settled_until = coalesce(@settled, settled_until), failure = @failure`,
  );
  const findHere = database
    .prepare<[string, string], string>(
      `SELECT DISTINCT delivery FROM deliveries
       WHERE source = 'github' AND delivery IN (SELECT value FROM json_each(?))
         AND coalesce(headers ->> '$."x-github-hook-id"' = ?, 1)`,
    )
    .pluck();
  const findAsked = database.prepare<
    [string, string],
    { readonly guid: string; readonly times: number; readonly asked_at: number }
  >(
    `SELECT guid, times, asked_at FROM asked_deliveries
     WHERE guid IN (SELECT value FROM json_each(?)) AND hook = ?`,
  );
  const ask = database.prepare(
    `INSERT INTO asked_deliveries (guid, hook, times, asked_at) VALUES (@guid, @id, 1, @at)
     ON CONFLICT DO UPDATE SET times = times + 1, asked_at = @at`,
  );
  const unask = database.prepare(
    'UPDATE asked_deliveries SET times = max(times - 1, 0) WHERE guid = ? AND hook = ?',
  );
  const countArrived = database.prepare<[number], ReturnType<GithubDeliveryTables['countArrived']>>(
    'SELECT count(*) AS count, max(arrived_at) AS last_at FROM asked_deliveries WHERE arrived_at >= ?',
  );
  const forget = database.prepare('DELETE FROM asked_deliveries WHERE asked_at < ?');
  return {
    isLearned: (id) => isLearned.get(id) !== undefined,
    learn: (name, id, at) => void learn.run({ name, id, at }),
    unlearn: database.transaction((name: string) => {
      unlearn.run(name);
      forgetUnlearned.run();
    }),
    find: (name) => find.get(name),
    listLearned: () => listLearned.all(),
    noteLook: (name, id, { settledUntil: settled = null, failure }) =>
      void noteLook.run({ name, id, settled, failure }),
    findHere: (id, guids) => new Set(findHere.all(JSON.stringify(guids), id)),
    findAsked: (id, guids) =>
      new Map(
        findAsked
          .all(JSON.stringify(guids), id)
          .map(({ guid, times, asked_at: askedAt }) => [guid, { times, askedAt }]),
      ),
    ask: (id, guid, at) => void ask.run({ id, guid, at }),
    unask: (id, guid) => void unask.run(guid, id),
    countArrived: (since) => countArrived.get(since) ?? { count: 0, last_at: null },
    forgetBefore: (at) => void forget.run(at),
  };
}
