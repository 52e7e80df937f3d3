import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { type EventTable, openEventTable } from './events.ts';
import { describeSqliteError } from './explain-database-error.ts';
import { MIGRATIONS } from './generated-migrations.ts';
import { openDatabase } from './open-database.ts';

/** The events of a database, and nothing else of it. */
export type EventLog = Pick<EventTable, 'insertAll'> & { close(): void };

/** Opens the events of a database that has the schema of this program. Does not migrate. */
export function openEventLog(path: string): Outcome<EventLog> {
  const opened = openDatabase(path);
  if (!opened.ok) return opened;
  const database = opened.value;
  try {
    const schema = Number(database.pragma('user_version', { simple: true }));
    const ours = MIGRATIONS.at(-1)?.version ?? 0;
    if (schema === ours) {
      const { insertAll } = openEventTable(database);
      return succeed({ insertAll, close: () => database.close() });
    }
    database.close();
    const detail = `It has schema ${schema}, and this program is made for ${ours}.`;
    return fail('DATABASE_UNAVAILABLE', detail);
  } catch (error) {
    database.close();
    return fail('DATABASE_UNAVAILABLE', `${path}: ${describeSqliteError(error)}.`);
  }
}
