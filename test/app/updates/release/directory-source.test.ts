import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { collect } from '../../../../app/updates/release/read-answer.ts';
import type { AssetWish } from '../../../../app/updates/release/release-source.ts';
import { ASSET, publish } from '../../../helpers/release.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';
import { failureOf, fakeRelease, openSource, settingsFor } from './release-fixture.ts';

const at = (folder: string) => settingsFor({ releaseBaseUrl: folder });

describe('a folder of releases', () => {
  test('with a listing has what the listing says', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '1.2.3' }), { prerelease: true });
    mkdirSync(join(folder, 'v9.0.0'));
    const listed = await openSource(t, at(folder)).list();
    assert.deepEqual(
      listed.ok && listed.value.map(({ tag, isPrerelease }) => [tag, isPrerelease]),
      [['v1.2.3', true]],
    );
  });

  test('without one has a release for each folder whose name is a version', async (t) => {
    const folder = makeTempFolder(t);
    for (const name of ['v1.0.0', 'v1.1.0-beta.1', 'latest', '1.2']) mkdirSync(join(folder, name));
    symlinkSync('v1.0.0', join(folder, 'v1.0.1'));
    writeFileSync(join(folder, 'v3.0.0'), 'a file');
    const listed = await openSource(t, at(folder)).list();
    assert.deepEqual(listed.ok && listed.value.map(({ tag }) => tag).sort(), [
      'v1.0.0',
      'v1.0.1',
      'v1.1.0-beta.1',
    ]);
  });

  test('that is not there, or no folder, can be tried again', async (t) => {
    const folder = makeTempFolder(t);
    writeFileSync(join(folder, 'file'), '');
    for (const [name, why] of [
      ['none', 'ENOENT'],
      ['file', 'ENOTDIR'],
    ] as const) {
      const { code, detail } = failureOf(await openSource(t, at(join(folder, name))).list());
      assert.equal(code, 'RELEASE_SOURCE_UNREACHABLE');
      assert.match(detail, new RegExp(why));
    }
  });

  test('gives the rest of a file as long as the file is the same', async (t) => {
    const folder = makeTempFolder(t);
    const release = fakeRelease(folder, { version: '1.2.3', bytes: 200_000 });
    publish(folder, release);
    const source = openSource(t, at(folder));
    const found = await source.find('v1.2.3');
    assert.ok(found.ok && found.value);
    const listed = found.value;
    const open = async (wish: AssetWish) => {
      const opened = await source.open(listed, ASSET, wish);
      assert.ok(opened.ok && opened.value.kind === 'content');
      const read = await collect(opened.value.bytes, 1_000_000, ASSET);
      assert.ok(read.ok);
      const { offset, total, etag } = opened.value;
      return { offset, total, etag, bytes: read.value };
    };
    const content = readFileSync(release.file);
    const whole = await open({ offset: 0, etag: null });
    assert.deepEqual([whole.offset, whole.total, whole.bytes], [0, 200_000, content]);
    const rest = await open({ offset: 150_000, etag: whole.etag });
    assert.deepEqual([rest.offset, rest.bytes], [150_000, content.subarray(150_000)]);
    writeFileSync(join(folder, 'v1.2.3', ASSET), Buffer.alloc(200_000));
    const changed = await open({ offset: 150_000, etag: whole.etag });
    assert.deepEqual([changed.offset, changed.bytes], [0, Buffer.alloc(200_000)]);
    const beyond = await source.open(listed, ASSET, { offset: 200_001, etag: changed.etag });
    assert.deepEqual(beyond, { ok: true, value: { kind: 'out-of-range' } });
  });

  test('has no files outside of it, whatever a tag says', async (t) => {
    const folder = makeTempFolder(t);
    mkdirSync(join(folder, 'secret'));
    writeFileSync(join(folder, 'secret', ASSET), 'secret');
    mkdirSync(join(folder, 'releases'));
    const source = openSource(t, at(join(folder, 'releases')));
    const release = { version: null, isPrerelease: false, isDraft: false, assets: null };
    const opened = await source.open({ ...release, tag: '../secret' }, ASSET, {
      offset: 0,
      etag: null,
    });
    assert.deepEqual(opened, { ok: true, value: { kind: 'missing' } });
  });

  test('that is read no further when who reads is stopped', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '1.2.3', bytes: 2_000_000 }));
    const stopping = new AbortController();
    const source = openSource(t, at(folder), { signal: stopping.signal });
    const found = await source.find('v1.2.3');
    assert.ok(found.ok && found.value);
    const opened = await source.open(found.value, ASSET, { offset: 0, etag: null });
    assert.ok(opened.ok && opened.value.kind === 'content');
    stopping.abort();
    const read = await collect(opened.value.bytes, 10_000_000, ASSET);
    assert.equal(failureOf(read).code, 'UPDATE_CANCELLED');
  });
});
