import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import type { DatabaseBackup } from '../../../shared/contract/update-record.ts';
import { type BulkFiles, realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { type Files, realFiles } from '../../../shared/fs/files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** A database and what belongs to one restoration of it. */
export type Place = {
  readonly database: string;
  readonly keepIn: string;
  readonly file: string;
};

/** Folders as they are in a state directory. */
export function makePlace(context: TestContext): Place {
  const data = join(makeTempFolder(context), 'data');
  const folder = join(data, 'backups/auto_update/upd_1');
  mkdirSync(join(folder, 'failed'), { recursive: true });
  return {
    database: join(data, 'x.db'),
    keepIn: join(folder, 'failed'),
    file: join(folder, 'database.db'),
  };
}

/** Leaves a database as a process does that is killed: what it has committed last stands in the log only. */
export function writeHot(path: string, ...rows: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const made = `${path}.made`;
  const database = openFast(made);
  database.exec('CREATE TABLE t (row TEXT)');
  database.pragma('wal_checkpoint(TRUNCATE)');
  for (const row of rows) database.prepare('INSERT INTO t VALUES (?)').run(row);
  for (const side of ['', '-wal', '-shm']) copyFileSync(`${made}${side}`, `${path}${side}`);
  database.close();
  rmSync(made);
}

/** Leaves a database as a process does that ends well: all in one file. */
export function writeClosed(path: string, ...rows: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const database = openFast(path);
  database.exec('CREATE TABLE t (row TEXT)');
  for (const row of rows) database.prepare('INSERT INTO t VALUES (?)').run(row);
  database.close();
}

function openFast(path: string): SqliteDatabase.Database {
  const database = new SqliteDatabase(path);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF');
  return database;
}

/** Looks at a database as a helper does, which leaves files of its own beside it. */
export function lookAt(path: string): void {
  if (!existsSync(path) || existsSync(`${path}-journal`)) return;
  const database = new SqliteDatabase(path, { readonly: true });
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  database.close();
}

/** What a copy of the database and its log holds; looked at elsewhere, so that nothing is changed. */
export function readRows(context: TestContext, path: string): unknown[] {
  const copy = join(makeTempFolder(context), 'copy.db');
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  const database = new SqliteDatabase(copy);
  assert.equal(database.pragma('quick_check', { simple: true }), 'ok');
  const rows = database.prepare('SELECT row FROM t ORDER BY rowid').pluck().all();
  database.close();
  return rows;
}

/** A backup that SQLite made, as the record has it. */
export function copyBackup(file: string, ...rows: readonly string[]): DatabaseBackup {
  writeClosed(file, ...rows);
  const content = readFileSync(file);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { kind: 'copy', file, sha256, bytes: content.length, schema: 0 };
}

/** The system crashes at the n-th operation: that one is not done, or half of it, and none after it. */
export function crashAt(n: number): { files: Files; bulk: BulkFiles; hasCrashed(): boolean } {
  let done = 0;
  const crash = new Error('crashed on purpose');
  const step = () => {
    if (++done >= n) throw crash;
  };
  const files = Object.fromEntries(
    Object.entries(realFiles).map(([name, act]) => [
      name,
      (...args: never[]) => {
        step();
        return (act as (...given: never[]) => unknown)(...args);
      },
    ]),
  ) as unknown as Files;
  const bulk: BulkFiles = {
    async copy(from, to) {
      if (++done >= n) {
        const content = readFileSync(from);
        if (done === n) writeFileSync(to, content.subarray(0, content.length / 2));
        throw crash;
      }
      await realBulkFiles.copy(from, to);
    },
    async hash(path) {
      step();
      return realBulkFiles.hash(path);
    },
  };
  return { files, bulk, hasCrashed: () => done >= n };
}
