import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { programPaths } from '../../../shared/contract/state-paths.ts';
import type { UpdateRecord } from '../../../shared/contract/update-record.ts';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { type Files, realFiles } from '../../../shared/fs/files.ts';
import type { ProgramParts } from '../../../supervisor/release/program-files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { NEW, OLD, RECORD } from '../core/update/fixture.ts';

export const OLD_CONTENT = 'the old program';
export const NEW_CONTENT = 'the new program';

/** An update from one program to another, told apart by their contents. */
export const EXCHANGE: UpdateRecord = {
  ...RECORD,
  from: { ...OLD, digest: sha256(OLD_CONTENT) },
  to: { ...NEW, digest: sha256(NEW_CONTENT) },
};

/** The old program at its target, the new one staged. */
export function makeProgramParts(context: TestContext, files: Partial<Files> = {}) {
  const folder = makeTempFolder(context);
  const program = programPaths(join(folder, 'program'));
  const parts: ProgramParts = {
    program,
    folder: join(folder, 'backups', RECORD.txn),
    files: { ...realFiles, ...files },
    bulk: realBulkFiles,
  };
  put(program.target, OLD_CONTENT);
  put(program.staged, NEW_CONTENT);
  return parts;
}

export function put(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o755 });
}

/** The content of a file; undefined where there is none. */
export function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** An operation that the system refuses. */
export function refuse(code: string): () => never {
  return () => {
    throw Object.assign(new Error(`${code}: no`), { code });
  };
}
