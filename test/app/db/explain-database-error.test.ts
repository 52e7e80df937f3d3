import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explainDatabaseError } from '../../../app/db/explain-database-error.ts';

describe('what an error says of the database', () => {
  for (const [code, name] of [
    ['SQLITE_CORRUPT', 'DATABASE_DAMAGED'],
    ['SQLITE_CORRUPT_INDEX', 'DATABASE_DAMAGED'],
    ['SQLITE_NOTADB', 'DATABASE_DAMAGED'],
    ['SQLITE_FULL', 'DATABASE_DISK_FULL'],
    ['SQLITE_READONLY', 'DATABASE_READ_ONLY'],
    ['SQLITE_READONLY_DIRECTORY', 'DATABASE_READ_ONLY'],
    ['SQLITE_READONLY_DBMOVED', 'DATABASE_MISSING'],
    ['SQLITE_CANTOPEN', 'DATABASE_UNAVAILABLE'],
    ['SQLITE_IOERR_WRITE', 'DATABASE_UNAVAILABLE'],
    ['SQLITE_BUSY', undefined],
    ['SQLITE_CONSTRAINT_UNIQUE', undefined],
    ['ENOENT', undefined],
    [undefined, undefined],
  ] as const) {
    test(`${code} is ${name ?? 'nothing'}`, () => {
      const error = Object.assign(new Error('seen'), code && { code });
      assert.equal(explainDatabaseError(error)?.code, name);
    });
  }

  test('it names what SQLite said', () => {
    const error = Object.assign(new Error('disk\nfull'), { code: 'SQLITE_FULL' });
    assert.equal(explainDatabaseError(error)?.detail, 'SQLITE_FULL disk full.');
  });
});
