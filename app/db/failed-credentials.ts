import type { CredentialTally } from '../domain/failed-credentials.ts';
import type { Database } from './open-database.ts';

/** How often credentials have failed, by address and in all; a row for each address that is remembered. */
export type FailedCredentialTable = {
  list(): CredentialTally[];
  /** In one transaction. */
  save(changes: {
    readonly changed: readonly CredentialTally[];
    readonly gone: readonly Pick<CredentialTally, 'kind' | 'address'>[];
  }): void;
};

/** Whoever writes remembers fewer. */
const MAX_ROWS = 10_000;

/** Prepares the statements of the table. */
export function openFailedCredentials(database: Database): FailedCredentialTable {
  const list = database.prepare<[number], CredentialTally>(
    'SELECT * FROM failed_credentials ORDER BY last_at DESC LIMIT ?',
  );
  const put = database.prepare(
    `INSERT INTO failed_credentials (kind, address, since, count, refused, last_at, good_at)
     VALUES (@kind, @address, @since, @count, @refused, @last_at, @good_at)
     ON CONFLICT (kind, address) DO UPDATE SET since = excluded.since, count = excluded.count,
       refused = excluded.refused, last_at = excluded.last_at, good_at = excluded.good_at`,
  );
  const remove = database.prepare(
    'DELETE FROM failed_credentials WHERE kind = @kind AND address = @address',
  );
  const save = database.transaction<FailedCredentialTable['save']>(({ changed, gone }) => {
    for (const tally of changed) put.run(tally);
    for (const key of gone) remove.run(key);
  });
  return { list: () => list.all(MAX_ROWS), save: (changes) => save.immediate(changes) };
}
