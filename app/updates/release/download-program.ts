import { open } from 'node:fs/promises';
import { hashFile } from '../../../shared/config/program-file.ts';
import { FailureError, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import {
  noPartial,
  openPartial,
  type Part,
  readPartial,
  removePartial,
  writeAt,
} from './partial-file.ts';
import type { AssetAnswer, AssetContent, AssetWish } from './release-source.ts';
import { explainDiskError } from './staging-room.ts';
import type { ReleaseFacts } from './verify-release.ts';
import { RETRIES, type Retries, withRetries } from './with-retries.ts';

/** A program without a manifest may be so large at most. */
const MAX_PROGRAM_BYTES = 536_870_912;

/** A program that is to be fetched. */
export type Download = {
  readonly facts: ReleaseFacts;
  /** Where it is put; what is there already of it is gone on with. */
  readonly path: string;
  readonly open: (wish: AssetWish) => Promise<Outcome<AssetAnswer>>;
  /** Asked with how many bytes are still to come, before the first of them is taken. */
  readonly checkRoom: (bytes: number) => Promise<Outcome<void>>;
  readonly onProgress: (
    step: 'downloading' | 'verifying',
    bytes: number,
    total: number | null,
  ) => void;
  readonly signal: AbortSignal;
  readonly retries?: Retries;
};

/**
 * Fetches a program and proves that it is the one whose digest is known: while it comes, and once more by what the
 * disk gives back. What has come stays where more of it may come later; what is wrong is removed.
 */
export async function downloadProgram(download: Download): Promise<Outcome<void>> {
  const { facts, path, signal, retries = RETRIES } = download;
  const most = capOf(facts);
  if (most > MAX_PROGRAM_BYTES) return tooLarge(facts.tag, most, MAX_PROGRAM_BYTES);
  try {
    const fetched = await withRetries(() => fetchRest(download), retries, signal);
    if (!fetched.ok) return explainFetch(fetched.failure.code, fetched);
    download.onProgress('verifying', fetched.value, fetched.value);
    await syncFile(path);
    if ((await hashFile(path)) === facts.digest) return succeed(undefined);
    await removePartial(path);
    return fail('RELEASE_MISMATCH', 'The disk gives back other bytes than were written.');
  } catch (error) {
    if (signal.aborted) return fail('UPDATE_CANCELLED', 'The download was stopped.');
    return { ok: false, failure: explainDiskError(error, path) };
  }
}

/** Makes the content of a file durable. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function explainFetch(code: string, failed: Outcome<never> & { ok: false }): Outcome<void> {
  if (code !== 'RELEASE_SOURCE_UNREACHABLE') return failed;
  return fail('RELEASE_DOWNLOAD_FAILED', failed.failure.detail);
}

/** One try: goes on with what is there. The result is the number of bytes that are there now. */
async function fetchRest(download: Download): Promise<Outcome<number>> {
  const { facts, path, signal } = download;
  const found = await readPartial(path, facts.digest, signal);
  const partial = found.bytes > capOf(facts) ? noPartial() : found;
  if (partial.bytes > 0 && partial.bytes === facts.manifest?.bytes) {
    return finish(partial, download, true);
  }
  const opened = await download.open({ offset: partial.bytes, etag: partial.etag });
  if (!opened.ok) return opened;
  switch (opened.value.kind) {
    case 'missing':
      return fail('RELEASE_NOT_FOUND', `${facts.tag} has no program for this host.`);
    case 'out-of-range':
      return partial.bytes > 0 ? restart(download) : invalidRange(facts.tag);
    case 'content':
      return receive(opened.value, partial, download);
  }
}

/** What is there is of no use: another try, from the first byte on. */
async function restart(download: Download): Promise<Outcome<number>> {
  await removePartial(download.path);
  return fetchRest(download);
}

function invalidRange(tag: string): Outcome<never> {
  return fail('RELEASE_SOURCE_INVALID', `The source refuses to send the program of ${tag}.`);
}

async function receive(
  content: AssetContent,
  partial: Part,
  download: Download,
): Promise<Outcome<number>> {
  const { offset, total, etag } = content;
  if (offset > 0 && etag !== partial.etag) {
    content.discard();
    return restart(download);
  }
  const length = checkLength(total, download.facts);
  const room = length.ok
    ? await download.checkRoom((total ?? sizeOf(download.facts)) - offset)
    : length;
  if (!room.ok) {
    content.discard();
    return room;
  }
  const start = offset > 0 ? partial : { ...noPartial(), etag };
  const received = await write(content, start, download);
  return received.ok ? finish(received.value, download, offset > 0) : received;
}

/** How much is taken at most. */
function capOf({ manifest }: ReleaseFacts): number {
  return manifest?.bytes ?? MAX_PROGRAM_BYTES;
}

/** How much is certain to come, as far as anything says it. */
function sizeOf({ manifest }: ReleaseFacts): number {
  return manifest?.bytes ?? 0;
}

function checkLength(total: number | null, facts: ReleaseFacts): Outcome<void> {
  const { tag, manifest } = facts;
  if (total === null) return succeed(undefined);
  if (total > capOf(facts)) return tooLarge(tag, total, capOf(facts));
  if (manifest && total < manifest.bytes) return tooShort(tag, total, manifest.bytes);
  return succeed(undefined);
}

function tooLarge(tag: string, bytes: number, most: number): Outcome<never> {
  return fail('RELEASE_TOO_LARGE', `${tag} has ${bytes} bytes or more; at most ${most} are taken.`);
}

function tooShort(tag: string, bytes: number, wanted: number): Outcome<never> {
  return fail('RELEASE_MISMATCH', `${tag} is offered with ${bytes} bytes; it has ${wanted}.`);
}

/** Takes all that comes to the disk. */
async function write(
  content: AssetContent,
  start: Part,
  { facts, path, onProgress }: Download,
): Promise<Outcome<Part>> {
  const most = capOf(facts);
  const { digest, tag } = facts;
  const { hash, etag } = start;
  let { bytes } = start;
  const file = await openPartial(path, bytes, { digest, tag, etag });
  try {
    for await (const chunk of content.bytes) {
      if (bytes + chunk.byteLength > most) {
        await removePartial(path);
        return tooLarge(tag, bytes + chunk.byteLength, most);
      }
      await writeAt(file, chunk, bytes);
      hash.update(chunk);
      bytes += chunk.byteLength;
      onProgress('downloading', bytes, content.total ?? facts.manifest?.bytes ?? null);
    }
  } catch (error) {
    content.discard();
    if (error instanceof FailureError) return { ok: false, failure: error.failure };
    throw error;
  } finally {
    await file.close();
  }
  if (content.total !== null && bytes < content.total) {
    const detail = `Only ${bytes} of ${content.total} bytes came.`;
    return fail('RELEASE_SOURCE_UNREACHABLE', detail);
  }
  return succeed({ bytes, etag, hash });
}

/** The whole is there: is it the right one? A part that was wrong from the start costs one further try. */
async function finish(
  { bytes, hash }: Part,
  download: Download,
  wasContinued: boolean,
): Promise<Outcome<number>> {
  const { facts, path } = download;
  const digest = hash.digest('hex');
  if (digest === facts.digest) return succeed(bytes);
  await removePartial(path);
  if (wasContinued) return fetchRest(download);
  if (facts.manifest && bytes < facts.manifest.bytes) {
    return tooShort(facts.tag, bytes, facts.manifest.bytes);
  }
  return fail('RELEASE_MISMATCH', `${facts.tag} should be sha256 ${facts.digest}; ${digest} came.`);
}
