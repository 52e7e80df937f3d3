import type { Database } from './open-database.ts';
import type { RevocationTable } from './revocations.ts';

/** A token of the API as it is stored. Times are milliseconds since the epoch. */
export type AccessTokenRow = {
  readonly id: string;
  /** Of those that are not revoked each has another one. */
  readonly name: string;
  /** SHA-256 of the token, hexadecimal. */
  readonly digest: string;
  /** A JSON list, in the form of `readScopes`. */
  readonly scopes: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly revoked_by: string | null;
  /** When it was used last, within a minute, and from where. */
  readonly used_at: number | null;
  readonly used_from: string | null;
};

/** A use of a token. */
export type TokenUse = { readonly id: string; readonly at: number; readonly from: string | null };

/** Revoked ones that are kept. */
const REVOKED_KEPT = 500;

/** The tokens of the API. */
export type AccessTokenTable = {
  /** All of them, the newest first. */
  list(): AccessTokenRow[];
  /** The one of a name that is not revoked. */
  findLive(name: string): AccessTokenRow | undefined;
  add(token: Omit<AccessTokenRow, 'revoked_at' | 'revoked_by' | 'used_at' | 'used_from'>): void;
  /** So that it stays so. Of those that are revoked only the newest five hundred are kept. @throws REVOCATION_NOT_KEPT */
  revoke(id: string, by: string, atMs: number): void;
  noteUses(uses: readonly TokenUse[]): void;
  /** A number that is another one whenever tokens or sessions have changed, but for their uses. */
  countChanges(): number;
};

/** Prepares the statements of the table. */
export function openAccessTokenTable(
  database: Database,
  revocations: Pick<RevocationTable, 'note'>,
): AccessTokenTable {
  const list = database.prepare<[], AccessTokenRow>(
    'SELECT * FROM access_tokens ORDER BY created_at DESC, id DESC',
  );
  const findLive = database.prepare<[string], AccessTokenRow>(
    'SELECT * FROM access_tokens WHERE name = ? AND revoked_at IS NULL',
  );
  const insert = database.prepare(
    `INSERT INTO access_tokens (id, name, digest, scopes, created_at, created_by, expires_at)
     VALUES (@id, @name, @digest, @scopes, @created_at, @created_by, @expires_at)`,
  );
  const revoke = database.prepare(
    'UPDATE access_tokens SET revoked_at = ?, revoked_by = ? WHERE id = ? AND revoked_at IS NULL',
  );
  const forget = database.prepare(
    `DELETE FROM access_tokens WHERE revoked_at IS NOT NULL AND id NOT IN (SELECT id FROM access_tokens
       WHERE revoked_at IS NOT NULL ORDER BY revoked_at DESC, id LIMIT ${REVOKED_KEPT})`,
  );
  const use = database.prepare('UPDATE access_tokens SET used_at = ?, used_from = ? WHERE id = ?');
  const count = database.prepare<[], number>('SELECT count FROM access_changes').pluck();
  return {
    list: () => list.all(),
    findLive: (name) => findLive.get(name),
    add: (token) => void insert.run(token),
    revoke: database.transaction((id: string, by: string, at: number) => {
      if (revoke.run(at, by, id).changes === 0) return;
      revocations.note({ kind: 'token', name: id, made: 0, at, by });
      forget.run();
    }),
    noteUses: database.transaction((uses: readonly TokenUse[]) => {
      for (const { id, at, from } of uses) use.run(at, from, id);
    }),
    countChanges: () => count.get() ?? 0,
  };
}
