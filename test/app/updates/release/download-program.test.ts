import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import {
  type Download,
  downloadProgram,
} from '../../../../app/updates/release/download-program.ts';
import { HTTP_LIMITS } from '../../../../app/updates/release/release-http.ts';
import type { ReleaseSource } from '../../../../app/updates/release/release-source.ts';
import { fail, type Outcome, succeed } from '../../../../shared/contract/outcome.ts';
import { ASSET, publish, type Release, toManifest } from '../../../helpers/release.ts';
import {
  failureOf,
  fakeRelease,
  openSource,
  SHORT_LIMITS,
  serveReleases,
  settingsFor,
} from './release-fixture.ts';

const KB64 = 65_536;
const SIZE = 1_048_576 + 123;

type Options = Partial<Download> & { readonly hasManifest?: boolean };

/** A server with one release, and what fetches its program. */
async function serveProgram(t: TestContext, limits = HTTP_LIMITS) {
  const server = await serveReleases(t);
  const release = fakeRelease(server.folder, { version: '1.2.3', bytes: SIZE });
  publish(server.folder, release);
  const source = openSource(t, settingsFor({ releaseBaseUrl: server.mirrorUrl }), {
    limits,
  });
  const path = join(server.folder, 'target.partial');
  const fetchIt = (options: Options = {}) => fetchProgram(source, release, { path, ...options });
  const offsets = () =>
    server.received.map(({ headers }) => Number(/\d+/.exec(headers.range ?? '0')?.[0]));
  const isThere = () => readFileSync(path).equals(readFileSync(release.file));
  return { server, release, source, path, fetchIt, offsets, isThere };
}

function fetchProgram(
  source: ReleaseSource,
  release: Release,
  { hasManifest = true, path = '', ...options }: Options,
): Promise<Outcome<void>> {
  const { tag, version, digest } = release;
  const listed = { tag, version, isPrerelease: false, isDraft: false, assets: null };
  const manifest = hasManifest ? ({ ...toManifest(release), v: 1 } as const) : null;
  return downloadProgram({
    facts: { tag, version, digest, manifest, signedBy: null },
    path,
    open: (wish) => source.open(listed, ASSET, wish),
    checkRoom: async () => succeed(undefined),
    onProgress: () => undefined,
    signal: new AbortController().signal,
    retries: { tries: 3, waitMs: 1 },
    ...options,
  });
}

describe('a download', () => {
  test('ends with the whole program, and tells how far it is', async (t) => {
    const { fetchIt, isThere, path } = await serveProgram(t);
    const told: [string, number, number | null][] = [];
    const onProgress: Download['onProgress'] = (...progress) => void told.push(progress);
    assert.deepEqual(await fetchIt({ onProgress }), { ok: true, value: undefined });
    assert.ok(isThere());
    assert.deepEqual(told.at(-1), ['verifying', SIZE, SIZE]);
    assert.deepEqual(told.at(-2), ['downloading', SIZE, SIZE]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('is whole only once it is on the disk', async (t) => {
    const { fetchIt } = await serveProgram(t);
    const file = await open(import.meta.filename);
    const acts = Object.getPrototypeOf(file) as typeof file;
    await file.close();
    const refuse = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
    t.mock.method(acts, 'sync', refuse, { times: 1 });
    const { detail } = failureOf(await fetchIt());
    assert.match(detail, /EIO/);
    assert.deepEqual(await fetchIt(), { ok: true, value: undefined });
  });

  test('that is cut off anywhere goes on from there', async (t) => {
    const { server, fetchIt, isThere, offsets } = await serveProgram(t);
    for (let afterBytes = 0; afterBytes < SIZE; afterBytes += KB64) {
      server.received.splice(0);
      server.misbehave({ kind: 'cut', afterBytes }, { times: 1 });
      assert.deepEqual(await fetchIt(), { ok: true, value: undefined }, `after ${afterBytes}`);
      assert.ok(isThere());
      assert.deepEqual(offsets(), [0, afterBytes]);
      writeFileSync(join(server.folder, 'target.partial'), '');
    }
  });

  test('that is cut off again and again is given up after three tries, and goes on at the next order', async (t) => {
    const { server, fetchIt, isThere, offsets } = await serveProgram(t);
    server.misbehave({ kind: 'cut', afterBytes: 4 * KB64 });
    const { code, detail } = failureOf(await fetchIt());
    assert.equal(code, 'RELEASE_DOWNLOAD_FAILED');
    assert.match(detail, /The connection to .* failed/);
    assert.deepEqual(offsets(), [0, 4 * KB64, 8 * KB64]);
    server.behave();
    assert.equal((await fetchIt()).ok, true);
    assert.deepEqual(offsets().slice(3), [12 * KB64]);
    assert.ok(isThere());
  });

  for (const hasManifest of [true, false]) {
    const what = hasManifest ? 'with a manifest' : 'without a manifest';
    test(`of which more than all is announced is not whole, ${what}`, async (t) => {
      const { server, fetchIt, path } = await serveProgram(t);
      server.misbehave({ kind: 'wrong-length', by: 5 });
      const { code } = failureOf(await fetchIt({ hasManifest }));
      assert.equal(code, hasManifest ? 'RELEASE_TOO_LARGE' : 'RELEASE_DOWNLOAD_FAILED');
      assert.equal(existsSync(path), !hasManifest);
    });
  }

  test('that the manifest says to be longer is refused before a byte of it is kept', async (t) => {
    const { server, source, release, path } = await serveProgram(t);
    const longer = { ...release, bytes: SIZE + 1 };
    const { code, detail } = failureOf(await fetchProgram(source, longer, { path }));
    assert.equal(code, 'RELEASE_MISMATCH');
    assert.match(detail, /is offered with 1048699 bytes; it has 1048700/);
    assert.equal(existsSync(path), false);
    assert.equal(server.received.length, 1);
  });

  test('without an end is capped by the manifest, else by what any program may have', async (t) => {
    const { server, fetchIt, path } = await serveProgram(t);
    server.misbehave({ kind: 'endless' });
    const { code, detail } = failureOf(await fetchIt());
    assert.equal(code, 'RELEASE_TOO_LARGE');
    assert.match(detail, /at most 1048699 are taken/);
    assert.equal(existsSync(path), false);
  });

  test('of a program that is too large by its own manifest is not begun', async (t) => {
    const { server, source, release, path } = await serveProgram(t);
    const huge = { ...release, bytes: 536_870_913 };
    const { code, detail } = failureOf(await fetchProgram(source, huge, { path }));
    assert.equal(code, 'RELEASE_TOO_LARGE');
    assert.match(detail, /536870913 bytes or more; at most 536870912/);
    assert.equal(server.received.length, 0);
  });

  test('whose bytes are others than they should be is thrown away', async (t) => {
    const { server, fetchIt, path } = await serveProgram(t);
    for (const hasManifest of [true, false]) {
      server.misbehave({ kind: 'wrong-digest' });
      const { code, detail } = failureOf(await fetchIt({ hasManifest }));
      assert.equal(code, 'RELEASE_MISMATCH');
      assert.match(detail, /should be sha256 [0-9a-f]{64}; [0-9a-f]{64} came/);
      assert.deepEqual([existsSync(path), existsSync(`${path}.json`)], [false, false]);
    }
  });

  test('of which less comes than was announced, without an error, is not whole', async (t) => {
    const { fetchIt, path } = await serveProgram(t);
    const open: Download['open'] = async ({ offset }) => {
      async function* bytes() {
        yield Buffer.alloc(100);
      }
      const [total, discard] = [SIZE, () => undefined];
      return succeed({ kind: 'content', offset, total, etag: '"1"', bytes: bytes(), discard });
    };
    const { code, detail } = failureOf(await fetchIt({ open }));
    assert.equal(code, 'RELEASE_DOWNLOAD_FAILED');
    assert.equal(detail, 'Only 300 of 1048699 bytes came.');
    assert.equal(statSync(path).size, 300);
  });

  test('of which the disk gives back other bytes is thrown away', async (t) => {
    const { fetchIt, path } = await serveProgram(t);
    const onProgress: Download['onProgress'] = (step) => {
      if (step === 'verifying') appendFileSync(path, 'x');
    };
    const { code, detail } = failureOf(await fetchIt({ onProgress }));
    assert.equal(code, 'RELEASE_MISMATCH');
    assert.match(detail, /The disk gives back other bytes than were written/);
    assert.deepEqual([existsSync(path), existsSync(`${path}.json`)], [false, false]);
  });

  test('that is encoded is refused', async (t) => {
    const { server, fetchIt } = await serveProgram(t);
    server.misbehave({ kind: 'gzip' });
    assert.equal(failureOf(await fetchIt()).code, 'RELEASE_SOURCE_INVALID');
    assert.equal(server.received.length, 1);
  });

  test('of which a byte comes now and then is tried three times', async (t) => {
    const { server, fetchIt } = await serveProgram(t, SHORT_LIMITS);
    server.misbehave({ kind: 'slow', afterBytes: KB64, everyMs: 20 });
    const { code, detail } = failureOf(await fetchIt());
    assert.equal(code, 'RELEASE_DOWNLOAD_FAILED');
    assert.match(detail, /sends too slowly/);
    assert.equal(server.received.length, 3);
  });

  test('of a program that is not there is not tried again', async (t) => {
    const { server, source, release, path } = await serveProgram(t);
    const { code } = failureOf(await fetchProgram(source, { ...release, tag: 'v0.0.0' }, { path }));
    assert.equal(code, 'RELEASE_NOT_FOUND');
    assert.equal(server.received.length, 1);
  });

  test('for which there is no room takes no byte', async (t) => {
    const { fetchIt, path } = await serveProgram(t);
    const asked: number[] = [];
    const checkRoom = async (bytes: number) => {
      asked.push(bytes);
      return fail('UPDATE_DISK_FULL', 'full');
    };
    assert.equal(failureOf(await fetchIt({ checkRoom })).code, 'UPDATE_DISK_FULL');
    assert.deepEqual([asked, existsSync(path)], [[SIZE], false]);
  });

  test('to a folder that is gone says so', async (t) => {
    const { fetchIt, path } = await serveProgram(t);
    const { code, detail } = failureOf(await fetchIt({ path: `${path}/none/target.partial` }));
    assert.equal(code, 'UPDATE_UNAVAILABLE');
    assert.match(detail, /cannot be changed \(ENOENT\)/);
  });

  test('that is stopped leaves what has come', async (t) => {
    const { server, fetchIt, path, offsets, isThere } = await serveProgram(t);
    server.misbehave({ kind: 'stall', afterBytes: 4 * KB64 }, { times: 1 });
    const stopping = new AbortController();
    const onProgress: Download['onProgress'] = (_step, bytes) => {
      if (bytes === 4 * KB64) stopping.abort();
    };
    const signal = stopping.signal;
    const source = openSource(t, settingsFor({ releaseBaseUrl: server.mirrorUrl }), { signal });
    const listed = { tag: 'v1.2.3', version: '1.2.3', isPrerelease: false, isDraft: false };
    const open: Download['open'] = (wish) => source.open({ ...listed, assets: null }, ASSET, wish);
    assert.equal(failureOf(await fetchIt({ onProgress, signal, open })).code, 'UPDATE_CANCELLED');
    assert.equal(statSync(path).size, 4 * KB64);
    assert.equal((await fetchIt()).ok, true);
    assert.deepEqual(offsets(), [0, 4 * KB64]);
    assert.ok(isThere());
  });
});

describe('a download that was cut off', () => {
  /** One of which so much has come, by a server that then broke off. */
  async function cutOff(t: TestContext, afterBytes = 4 * KB64) {
    const served = await serveProgram(t);
    served.server.misbehave({ kind: 'cut', afterBytes });
    assert.equal((await served.fetchIt({ retries: { tries: 1, waitMs: 1 } })).ok, false);
    assert.equal(statSync(served.path).size, afterBytes);
    served.server.received.splice(0);
    served.server.behave();
    return served;
  }

  test('asks for the rest of the same file only', async (t) => {
    const { fetchIt, server, isThere } = await cutOff(t);
    assert.equal((await fetchIt()).ok, true);
    const [{ headers } = { headers: {} as Record<string, string> }] = server.received;
    assert.equal(headers['range'], `bytes=${4 * KB64}-`);
    assert.match(String(headers['if-range']), /^"[0-9a-f]{16}"$/);
    assert.ok(isThere());
  });

  for (const [title, how] of [
    ['the file has another tag now', { kind: 'etag-change' }],
    ['the server knows no ranges', { kind: 'no-ranges' }],
    ['the tags of the server say little', { kind: 'weak-etag' }],
  ] as const) {
    test(`begins anew where ${title}`, async (t) => {
      const { fetchIt, server, isThere } = await cutOff(t);
      server.misbehave(how);
      assert.equal((await fetchIt()).ok, true);
      assert.equal(server.received.length, 1);
      assert.ok(isThere());
    });
  }

  test('begins anew where the server has nothing from there on', async (t) => {
    const { fetchIt, server, isThere, offsets } = await cutOff(t);
    server.misbehave({ kind: '416' });
    assert.equal((await fetchIt()).ok, true);
    assert.deepEqual(offsets(), [4 * KB64, 0]);
    assert.ok(isThere());
  });

  test('begins anew where the rest is of another file, whatever was asked for', async (t) => {
    const { fetchIt, server, isThere, path, offsets } = await cutOff(t);
    const note = JSON.parse(readFileSync(`${path}.json`, 'utf8'));
    writeFileSync(`${path}.json`, JSON.stringify({ ...note, etag: '"another"' }));
    server.misbehave({ kind: 'ignore-if-range' }, { times: 1 });
    assert.equal((await fetchIt()).ok, true);
    assert.deepEqual(offsets(), [4 * KB64, 0]);
    assert.ok(isThere());
  });

  test('is left where another part comes than was asked for', async (t) => {
    const { fetchIt, server, path } = await cutOff(t);
    server.misbehave({ kind: 'wrong-part' });
    const { code, detail } = failureOf(await fetchIt());
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
    assert.match(detail, /sends another part than was asked for/);
    assert.equal(statSync(path).size, 4 * KB64);
  });

  test('begins anew where the first part turns out to be wrong', async (t) => {
    const { fetchIt, isThere, path, offsets } = await cutOff(t);
    writeFileSync(path, Buffer.alloc(4 * KB64));
    assert.equal((await fetchIt()).ok, true);
    assert.deepEqual(offsets(), [4 * KB64, 0]);
    assert.ok(isThere());
  });

  test('begins anew where more has come than there is', async (t) => {
    const { fetchIt, isThere, path, offsets } = await cutOff(t);
    appendFileSync(path, Buffer.alloc(SIZE));
    assert.equal((await fetchIt()).ok, true);
    assert.deepEqual(offsets(), [0]);
    assert.ok(isThere());
  });

  for (const [title, spoil] of [
    ['is missing', () => ''],
    ['is torn', (note: string) => note.slice(0, note.length / 2)],
    ['is of another program', (note: string) => note.replace(/[0-9a-f]{64}/, 'c'.repeat(64))],
    ['is of a newer format', (note: string) => note.replace('"v":1', '"v":2')],
    ['is too long', (note: string) => note + ' '.repeat(5_000)],
  ] as const) {
    test(`begins anew where the note of what it is ${title}`, async (t) => {
      const { fetchIt, isThere, path, offsets } = await cutOff(t);
      writeFileSync(`${path}.json`, spoil(readFileSync(`${path}.json`, 'utf8')));
      assert.equal((await fetchIt()).ok, true);
      assert.deepEqual(offsets(), [0]);
      assert.ok(isThere());
    });
  }

  test('asks nobody where all has come', async (t) => {
    const { fetchIt, isThere, path, server, release } = await cutOff(t);
    appendFileSync(path, readFileSync(release.file).subarray(4 * KB64));
    assert.equal((await fetchIt()).ok, true);
    assert.equal(server.received.length, 0);
    assert.ok(isThere());
  });

  test('begins anew in another file: who still writes to this one does no harm', async (t) => {
    const { fetchIt, path, server, isThere } = await cutOff(t);
    const orphan = openSync(path, 'r+');
    t.after(() => closeSync(orphan));
    server.misbehave({ kind: 'no-ranges' });
    assert.equal((await fetchIt()).ok, true);
    writeSync(orphan, 'of another release', 0);
    assert.ok(isThere());
  });

  test('leaves nothing beside the file and its note', async (t) => {
    const { fetchIt, server, path } = await cutOff(t);
    assert.equal((await fetchIt()).ok, true);
    const names = readdirSync(server.folder).filter((name) => name.startsWith('target'));
    assert.deepEqual(names, ['target.partial', 'target.partial.json']);
    assert.equal(statSync(path).size, SIZE);
  });
});
