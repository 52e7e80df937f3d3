import { chmod, stat } from 'node:fs/promises';
import { hashFile } from '../../../shared/config/program-file.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { programPaths } from '../../../shared/contract/state-paths.ts';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { removeDurably, renameDurably } from '../../../shared/fs/durable-file.ts';
import { syncFile } from './download-program.ts';
import { checkRoom, explainDiskError } from './staging-room.ts';

/** Whether the program with this digest lies ready already, from a staging that was cut short behind its end. */
export async function isPlaced(base: string, digest: string): Promise<boolean> {
  try {
    return (await hashFile(programPaths(base).staged)) === digest;
  } catch {
    return false;
  }
}

/** Makes the partial file the staged program: executable, synced, under its name. */
export async function placeProgram(base: string, signal: AbortSignal): Promise<Outcome<void>> {
  const { partial, staged } = programPaths(base);
  try {
    await chmod(partial, 0o755);
    await syncFile(partial);
    if (signal.aborted) return fail('UPDATE_CANCELLED', 'Staging was stopped.');
    renameDurably(partial, staged);
    removeDurably(`${partial}.json`);
    return succeed(undefined);
  } catch (error) {
    return { ok: false, failure: explainDiskError(error, partial) };
  }
}

/** Copies a kept program to the partial file, and proves that it is the one that was kept. */
export async function copyKept(base: string, file: string, digest: string): Promise<Outcome<void>> {
  const { partial } = programPaths(base);
  const size = await readSize(file);
  if (size === undefined) return fail('UPDATE_VERSION_UNKNOWN', `${file} is not there.`);
  const room = await checkRoom(base, size);
  if (!room.ok) return room;
  try {
    removeDurably(partial);
    // Costs no room where the file system can share blocks.
    await realBulkFiles.copy(file, partial);
    if ((await hashFile(partial)) === digest) return succeed(undefined);
    removeDurably(partial);
    return fail('RELEASE_MISMATCH', `${file} is no longer the program that was kept.`);
  } catch (error) {
    return { ok: false, failure: explainDiskError(error, partial) };
  }
}

async function readSize(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch {
    return undefined;
  }
}
