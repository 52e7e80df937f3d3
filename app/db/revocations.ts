import { FailureError, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { describeSqliteError, explainDatabaseError } from './explain-database-error.ts';
import type { Database } from './open-database.ts';
import {
  appendEnabled,
  appendRevocations,
  keyOf,
  type Revocation,
  type RevocationKey,
  readRevocations,
  revocationFile,
  writeRevocations,
} from './revocation-file.ts';

/** Nobody revokes so many in the time that they are kept for; of more the newest are kept. */
const MAX_KEPT = 10_000;
/** Lines that say nothing any more are dropped before there are so many more than rows. */
const MAX_SPARE_LINES = 1_000;

/** What the opening of a database found to do. */
export type SettledRevocations = {
  /** What was good in it although it had been revoked, and is revoked again. */
  readonly applied: number;
  /** Lines of the file that cannot be read: what they revoked may be good in a database that was put back. */
  readonly unreadable: number;
};

/**
 * What was revoked: in the database, and beside it in a file that no database which is put back takes with it. Both are written
 * before the transaction of a revocation ends, so that one that was answered is in both; what only one of them has, as after a
 * crash or in a database that was put back, is brought into the other, and done, when the database is opened.
 */
export type RevocationTable = {
  /** Within the transaction that revokes it. @throws REVOCATION_NOT_KEPT, and then that is not to end well. */
  note(revoked: Revocation): void;
  /** The hook is not disabled any more; in the transaction, too. @throws as `note`. */
  noteEnabled(hook: Pick<Revocation, 'name' | 'made'>): void;
  /** Brings database and file up to each other. Fails with REVOCATIONS_UNREADABLE, or with what ails the database. */
  settle(): Outcome<SettledRevocations>;
  /** Drops from the file what is not in the table any more; where it cannot be written that is left for another time. */
  compact(): void;
};

/** Prepares the statements. `path` is that of the database. */
export function openRevocationTable(database: Database, path: string): RevocationTable {
  const file = revocationFile(path);
  const table = prepare(database);
  const bring = database.transaction(() => bringTogether(table, file));
  const compact = database.transaction(() => {
    try {
      const { lines, isTorn } = readRevocations(file);
      const rows = table.list();
      if (isTorn || lines !== rows.length) writeRevocations(file, rows);
    } catch (error) {
      // A full disk must not keep what is old from being removed.
      if (!isOfSystem(error)) throw error;
    }
  });
  return {
    note(revoked) {
      if (table.insert(revoked)) keep(file, table, () => appendRevocations(file, [revoked]));
    },
    noteEnabled(hook) {
      const key: RevocationKey = { ...hook, kind: 'disabled' };
      if (table.remove(key)) keep(file, table, () => appendEnabled(file, key));
    },
    settle() {
      try {
        // Nearly always there is nothing to do: nobody who opens the database waits then for whoever writes in it.
        return succeed(seeTogether(table, file) ?? bring.immediate());
      } catch (error) {
        if (isOfSystem(error)) return fail('REVOCATIONS_UNREADABLE', `${file}: ${error.code}.`);
        const code = explainDatabaseError(error)?.code ?? 'DATABASE_UNAVAILABLE';
        return fail(code, `${describeSqliteError(error)}.`);
      }
    },
    compact: () => compact.immediate(),
  };
}

/** The file is written by whoever has the write lock of the database, so that two never write at once. */
function keep(file: string, table: Table, append: () => void): void {
  try {
    const { lines, isTorn } = readRevocations(file);
    table.forget();
    const rows = table.count();
    if (isTorn || lines > rows + MAX_SPARE_LINES) writeRevocations(file, table.list());
    else append();
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    throw new FailureError({ code: 'REVOCATION_NOT_KEPT', detail: `${file}: ${error.code}.` });
  }
}

/** Undefined where they are not as one: also when somebody is revoking something just now. */
function seeTogether(table: Table, file: string): SettledRevocations | undefined {
  const { entries, unreadable, isTorn } = readRevocations(file);
  const rows = table.list();
  const isAsOne = rows.length === entries.size && rows.every((row) => entries.has(keyOf(row)));
  return isAsOne && !isTorn ? { applied: 0, unreadable } : undefined;
}

function bringTogether(table: Table, file: string): SettledRevocations {
  const kept = readRevocations(file);
  const known = new Set(table.list().map(keyOf));
  let applied = 0;
  for (const one of kept.entries.values()) {
    if (known.has(keyOf(one))) continue;
    table.insert(one);
    applied += table.apply(one);
  }
  const rows = table.list();
  const unwritten = rows.filter((row) => !kept.entries.has(keyOf(row)));
  try {
    if (kept.isTorn) writeRevocations(file, rows);
    else if (unwritten.length > 0) appendRevocations(file, unwritten);
  } catch (error) {
    // The database has them, and with the next opening it is tried again.
    if (!isOfSystem(error)) throw error;
  }
  return { applied, unreadable: kept.unreadable };
}

type Table = ReturnType<typeof prepare>;

function prepare(database: Database) {
  const list = database.prepare<[], Revocation>('SELECT * FROM revocations ORDER BY at');
  const count = database.prepare<[], number>('SELECT count(*) FROM revocations').pluck();
  const insert = database.prepare(
    'INSERT OR IGNORE INTO revocations (kind, name, made, at, by) VALUES (@kind, @name, @made, @at, @by)',
  );
  const remove = database.prepare(
    'DELETE FROM revocations WHERE kind = @kind AND name = @name AND made = @made',
  );
  const forget = database.prepare(
    `DELETE FROM revocations WHERE (kind, name, made) IN
       (SELECT kind, name, made FROM revocations ORDER BY at DESC LIMIT -1 OFFSET ${MAX_KEPT})`,
  );
  const endSessions = database.prepare('DELETE FROM access_sessions WHERE token = ?');
  const apply = {
    token: database.prepare(
      'UPDATE access_tokens SET revoked_at = @at, revoked_by = @by WHERE id = @name AND revoked_at IS NULL',
    ),
    secret: database.prepare('DELETE FROM hook_secrets WHERE id = @name'),
    hook: database.prepare('DELETE FROM stored_hooks WHERE name = @name AND created_at = @made'),
    disabled: database.prepare(
      `UPDATE stored_hooks SET disabled_at = @at, updated_at = max(updated_at, @at), updated_by = @by
         WHERE name = @name AND created_at = @made AND disabled_at IS NULL`,
    ),
  };
  return {
    list: () => list.all(),
    count: () => count.get() ?? 0,
    /** Whether it was not there yet. */
    insert: (one: Revocation) => insert.run(one).changes === 1,
    remove: (key: RevocationKey) => remove.run(key).changes === 1,
    forget: () => void forget.run(),
    /** Revokes it, with the sessions that were begun with it; 0 where it is so already. */
    apply(one: Revocation): number {
      if (one.kind === 'token') endSessions.run(one.name);
      return apply[one.kind].run(one).changes;
    },
  };
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  const { errno, code } = error as NodeJS.ErrnoException;
  return typeof errno === 'number' || code === 'EFBIG';
}
