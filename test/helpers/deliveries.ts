import SqliteDatabase from 'better-sqlite3';

/** The deliveries that a database holds, by the id that the sender gave them; of a service that has ended. */
export function storedDeliveries(file: string): ReadonlySet<string> {
  const database = new SqliteDatabase(file, { readonly: true });
  try {
    const rows = database.prepare<[], string>('SELECT delivery FROM deliveries').pluck().all();
    return new Set(rows);
  } finally {
    database.close();
  }
}
