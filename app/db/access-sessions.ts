import type { Database } from './open-database.ts';

/** Somebody who has signed in, as it is stored. Times are milliseconds since the epoch. */
export type AccessSessionRow = {
  readonly id: string;
  /** Of what the cookie holds now, hexadecimal. */
  readonly digest: string;
  /** By which token: its id, or the variable of one of the settings. */
  readonly token: string;
  readonly created_at: number;
  /** When the cookie was changed last. */
  readonly rotated_at: number;
  /** The last request, within a minute. */
  readonly seen_at: number;
};

/** People who have signed in. */
export type AccessSessionTable = {
  list(): AccessSessionRow[];
  /** Removes those that nobody used since `idleSince`, and those that were used longest ago beyond the newest thousand. */
  add(session: AccessSessionRow, idleSince: number): void;
  rotate(id: string, digest: string, atMs: number): void;
  noteSeen(seen: readonly { readonly id: string; readonly at: number }[]): void;
  remove(id: string): void;
  /** Ends all that were begun with a token. */
  removeOf(token: string): void;
};

const MAX_SESSIONS = 1_000;

/** Prepares the statements of the table. */
export function openAccessSessionTable(database: Database): AccessSessionTable {
  const list = database.prepare<[], AccessSessionRow>('SELECT * FROM access_sessions');
  const insert = database.prepare(
    `INSERT INTO access_sessions (id, digest, token, created_at, rotated_at, seen_at)
     VALUES (@id, @digest, @token, @created_at, @rotated_at, @seen_at)`,
  );
  const expire = database.prepare('DELETE FROM access_sessions WHERE seen_at < ?');
  const forget = database.prepare(
    `DELETE FROM access_sessions WHERE id NOT IN
       (SELECT id FROM access_sessions ORDER BY seen_at DESC, id LIMIT ${MAX_SESSIONS})`,
  );
  const rotate = database.prepare(
    'UPDATE access_sessions SET digest = ?, rotated_at = ?, seen_at = ? WHERE id = ?',
  );
  const seen = database.prepare('UPDATE access_sessions SET seen_at = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM access_sessions WHERE id = ?');
  const removeOf = database.prepare('DELETE FROM access_sessions WHERE token = ?');
  return {
    list: () => list.all(),
    add: database.transaction((session: AccessSessionRow, idleSince: number) => {
      expire.run(idleSince);
      insert.run(session);
      forget.run();
    }),
    rotate: (id, digest, at) => void rotate.run(digest, at, at, id),
    noteSeen: database.transaction((all: readonly { id: string; at: number }[]) => {
      for (const { id, at } of all) seen.run(at, id);
    }),
    remove: (id) => void remove.run(id),
    removeOf: (token) => void removeOf.run(token),
  };
}
