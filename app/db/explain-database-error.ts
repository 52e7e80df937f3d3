import type { Failure } from '../../shared/contract/outcome.ts';

/**
 * What an error of SQLite says of the database itself (https://sqlite.org/rescode.html); undefined for any other error, and
 * for those of a statement: a constraint, a lock that another process holds.
 */
export function explainDatabaseError(error: unknown): Failure | undefined {
  const { code } = error as { readonly code?: unknown };
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return undefined;
  const name = nameOf(code.slice('SQLITE_'.length));
  return name && { code: name, detail: `${describeSqliteError(error)}.` };
}

function nameOf(code: string) {
  // The extended codes begin with the name of the primary one.
  switch (code.split('_', 1)[0]) {
    case 'CORRUPT':
    case 'NOTADB':
      return 'DATABASE_DAMAGED';
    case 'FULL':
      return 'DATABASE_DISK_FULL';
    case 'READONLY':
      return code === 'READONLY_DBMOVED' ? 'DATABASE_MISSING' : 'DATABASE_READ_ONLY';
    case 'CANTOPEN':
    case 'IOERR':
    case 'PROTOCOL':
      return 'DATABASE_UNAVAILABLE';
    default:
      return undefined;
  }
}

/** The system's or SQLite's own code with its message, on one line. */
export function describeSqliteError(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return [code, message].filter(Boolean).join(' ').replaceAll(/\s+/g, ' ');
}
