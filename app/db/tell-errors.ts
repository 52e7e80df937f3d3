import type { Database } from './open-database.ts';

type Call = (...args: never[]) => unknown;

/**
 * Has `onError` told of each error that a statement or a transaction of this connection gives, whoever catches it: some
 * callers can go on without the database, and still it must be known that it is ill. To be called before the first
 * statement is prepared.
 */
export function tellErrors(database: Database, onError: (error: unknown) => void): void {
  const watched = <T extends Call>(act: T): T =>
    ((...args: Parameters<T>) => {
      try {
        return act(...args);
      } catch (error) {
        onError(error);
        throw error;
      }
    }) as T;
  const prepare = database.prepare.bind(database);
  const transaction = database.transaction.bind(database);
  // Of the connection, for the tables prepare their statements by these.
  Object.assign(database, {
    prepare: (sql: string) => {
      const statement = prepare(sql);
      for (const name of ['run', 'get', 'all'] as const) {
        Object.assign(statement, { [name]: watched(statement[name].bind(statement) as Call) });
      }
      return statement;
    },
    transaction: (act: Call) => {
      const made = transaction(act as never);
      const { deferred, immediate, exclusive } = made;
      return Object.assign(watched(made as Call), {
        deferred: watched(deferred as Call),
        immediate: watched(immediate as Call),
        exclusive: watched(exclusive as Call),
      });
    },
  });
}
