import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { programPaths } from '../../../shared/contract/state-paths.ts';
import type { UpdateRecord } from '../../../shared/contract/update-record.ts';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { type ActParts, createActs } from '../../../supervisor/acts/create-acts.ts';
import type { UpdateEvent } from '../../../supervisor/core/update/machine.ts';
import { makeProgram } from '../../helpers/executable.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { RECORD } from '../core/update/fixture.ts';

/** The commands of a program that finds all well. */
export const WELL = {
  'db-backup': `echo copied > "$2"
    echo '{"kind":"copy","sha256":"${sha256('copied\n')}","bytes":7,"schema":3}'`,
  'db-inspect': inspect({}),
  'post-update-check': check({}),
} as const;

/** An answer of `db-inspect`. */
export function inspect(over: object): string {
  const well = { exists: true, schema: 3, compatible: true, sound: true, detail: '' };
  return `echo '${JSON.stringify({ ...well, ...over })}'`;
}

/** An answer of `post-update-check`; null for what is well, else what is wrong. */
export function check(over: Readonly<Record<string, string | null>>): string {
  const all = { 'own-files': null, database: null, 'release-source': null, ...over };
  const checks = Object.entries(all).map(([name, detail]) => ({
    name,
    failure: detail === null ? null : { code: 'INTERNAL', detail },
  }));
  return `echo '${JSON.stringify({ version: '2.0.0', digest: 'b'.repeat(64), checks })}'`;
}

/** An installed program with a database and an open update, and the acts upon them. */
export function makeHost(context: TestContext, over: Partial<ActParts> = {}) {
  const folder = makeTempFolder(context);
  const program = programPaths(join(folder, 'program'));
  const data = join(folder, 'data');
  const paths = { database: join(data, 'x.db'), backupsDir: join(data, 'backups') };
  mkdirSync(data);
  writeFileSync(paths.database, 'as it is');
  makeProgram(program.target, WELL);
  const parts: ActParts = {
    program,
    paths,
    files: realFiles,
    bulk: realBulkFiles,
    environment: { PATH: process.env['PATH'] },
    own: { version: '1.0.0', commit: 'abc' },
    socketFd: -1,
    becomeTarget: async () => ({ kind: 'hand-over-impossible', reason: 'told' }),
    lastGood: () => null,
    ...over,
  };
  const from = { ...RECORD.from, digest: hashOf(program.target) };
  const record: UpdateRecord = {
    ...RECORD,
    from,
    database: { ...RECORD.database, backup: null },
  };
  const posted: UpdateEvent[] = [];
  const control = new AbortController();
  const tools = { signal: control.signal, post: (event: UpdateEvent) => posted.push(event) };
  return { ...parts, acts: createActs(parts), record, tools, posted, control };
}

export function hashOf(path: string): string {
  return sha256(readFileSync(path));
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
