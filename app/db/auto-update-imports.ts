import type { Database } from './open-database.ts';

/** A name is kept for longer than what bears it is looked at. */
const KEEP_MS = 30 * 86_400_000;

/** The runs of podman's auto-update that were begun by somebody else and are recorded already. */
export type AutoUpdateImportTable = {
  has(name: string): boolean;
  /** False where it was recorded before. Forgets what is older than thirty days. */
  add(name: string, nowMs: number): boolean;
};

/** Prepares the statements of the table. */
export function openAutoUpdateImportTable(database: Database): AutoUpdateImportTable {
  const find = database.prepare<[string]>('SELECT 1 FROM auto_update_imports WHERE name = ?');
  const expire = database.prepare('DELETE FROM auto_update_imports WHERE imported_at <= ?');
  const insert = database.prepare(
    'INSERT INTO auto_update_imports (name, imported_at) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  return {
    has: (name) => find.get(name) !== undefined,
    add: (name, nowMs) => {
      expire.run(nowMs - KEEP_MS);
      return insert.run(name, nowMs).changes === 1;
    },
  };
}
