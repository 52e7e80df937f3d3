import type { Logger } from 'pino';
import { type Failure, fail } from '../shared/contract/outcome.ts';
import type { StatePaths } from '../shared/contract/state-paths.ts';
import type { UpdateRecord } from '../shared/contract/update-record.ts';
import { type BulkFiles, realBulkFiles } from '../shared/fs/bulk-files.ts';
import { removeDurably } from '../shared/fs/durable-file.ts';
import type { Files } from '../shared/fs/files.ts';
import { NO_MEMORY } from './core/update/outcome.ts';
import type { Found } from './core/update/recover.ts';
import type { Installation } from './installation.ts';
import { readMemory } from './record/memory-store.ts';
import { readRecord } from './record/record-store.ts';
import { settleFolders } from './record/settle-folders.ts';
import { removeAsides } from './remove-asides.ts';

/** What a starting supervisor looks through. */
export type DiskParts = {
  readonly paths: StatePaths;
  readonly installation: Installation;
  readonly files: Files;
  readonly bulk?: BulkFiles;
  readonly isForeign: boolean;
  readonly log: Logger;
};

/** Reads what an earlier supervisor left: the open update, the memory, and where needed which program lies there. */
export async function findOnDisk(parts: DiskParts): Promise<Found> {
  const { paths, installation, files, isForeign, log } = parts;
  const { slot, program } = installation;
  const none = { record: null, memory: NO_MEMORY, slot, targetDigest: null };
  if (isForeign) {
    const { failure } = fail('UPDATE_UNAVAILABLE', 'Another program is supervised.');
    return { ...none, unavailable: failure };
  }
  removeAsides(paths, slot === 'elsewhere' ? null : program, files);
  const wallMs = Date.now();
  const memory = readMemory(paths, files, wallMs, (path) =>
    log.error({ path }, 'a file of the self-update was broken and is kept aside'),
  );
  const { record, failure } = openRecord(parts, wallMs);
  const unavailable = failure ?? installation.unavailable;
  // A record that this process cannot act upon, and what belongs to it, stays for the one that can.
  if (!record || slot === 'elsewhere') {
    if (!record && !failure && slot !== 'elsewhere') forgetTries(program.tries, files);
    return { ...none, memory, unavailable };
  }
  settleFolders(paths, program, record, files);
  return {
    record,
    memory,
    slot,
    unavailable,
    targetDigest: await digestOf(program.target, record, parts.bulk ?? realBulkFiles),
  };
}

function openRecord(
  { paths, files, log }: DiskParts,
  wallMs: number,
): { readonly record: UpdateRecord | null; readonly failure: Failure | undefined } {
  const reading = readRecord(paths.updateRecord, files, wallMs);
  switch (reading.kind) {
    case 'record':
      return { record: reading.record, failure: undefined };
    case 'newer': {
      const { failure } = fail('UPDATE_RECORD_NEWER', `It has format ${reading.v}.`);
      log.error({ code: failure.code, detail: failure.detail }, 'no update is made');
      return { record: null, failure };
    }
    case 'broken':
      log.error({ reason: reading.reason }, 'the update record was broken and is kept aside');
      return { record: null, failure: undefined };
    case 'none':
      return { record: null, failure: undefined };
  }
}

/** Without an open update the launcher has nothing to fall back from. */
function forgetTries(tries: string, files: Files): void {
  try {
    if (files.facts(tries)) removeDurably(tries, files);
  } catch {
    // It costs a fallback at the next start, no more.
  }
}

/** Hashing a large program takes time, so only where it matters which one lies there. */
async function digestOf(
  target: string,
  { state }: UpdateRecord,
  bulk: BulkFiles,
): Promise<string | null> {
  if (state !== 'switching' && state !== 'rolling-back') return null;
  try {
    return await bulk.hash(target);
  } catch {
    return null;
  }
}
