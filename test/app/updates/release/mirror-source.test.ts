import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { collect } from '../../../../app/updates/release/read-answer.ts';
import type { ReleaseSource } from '../../../../app/updates/release/release-source.ts';
import { ASSET, publish } from '../../../helpers/release.ts';
import {
  failureOf,
  fakeRelease,
  openSource,
  serveReleases,
  settingsFor,
} from './release-fixture.ts';

/** How many bytes an asset of a release has; undefined where it is missing. */
async function sizeOf(source: ReleaseSource, tag: string, asset = ASSET) {
  const found = await source.find(tag);
  assert.ok(found.ok && found.value, `no ${tag}`);
  const opened = await source.open(found.value, asset, { offset: 0, etag: null });
  assert.ok(opened.ok);
  if (opened.value.kind !== 'content') return undefined;
  const read = await collect(opened.value.bytes, 1_000_000, asset);
  return read.ok ? read.value.length : undefined;
}

describe('a mirror', () => {
  test('lists its releases, and has their files in a folder each', async (t) => {
    const server = await serveReleases(t);
    publish(server.folder, fakeRelease(server.folder, { version: '1.2.3', bytes: 77 }));
    publish(server.folder, fakeRelease(server.folder, { version: '2.0.0' }), { prerelease: true });
    const source = openSource(t, settingsFor({ releaseBaseUrl: server.mirrorUrl }));
    const listed = await source.list();
    assert.deepEqual(
      listed.ok &&
        listed.value.map(({ tag, version, isPrerelease }) => [tag, version, isPrerelease]),
      [
        ['v2.0.0', '2.0.0', true],
        ['v1.2.3', '1.2.3', false],
      ],
    );
    assert.equal(await sizeOf(source, 'v1.2.3'), 77);
    assert.equal(await sizeOf(source, 'v1.2.3', 'another'), undefined);
    assert.deepEqual(await source.find('v9.9.9'), { ok: true, value: undefined });
  });

  test('that lists files is not asked for others', async (t) => {
    const server = await serveReleases(t);
    publish(server.folder, fakeRelease(server.folder, { version: '1.2.3' }), { unlisted: true });
    const listing = [
      { tag: 'v1.2.3', version: '1.2.3', prerelease: false, assets: [`${ASSET}.sha256`] },
    ];
    writeFileSync(join(server.folder, 'releases.json'), JSON.stringify(listing));
    const source = openSource(t, settingsFor({ releaseBaseUrl: server.mirrorUrl }));
    assert.equal(await sizeOf(source, 'v1.2.3'), undefined);
    assert.equal(await sizeOf(source, 'v1.2.3', `${ASSET}.sha256`), 65 + 1 + ASSET.length + 1);
    assert.equal(server.received.length, 3);
  });

  test('without a listing gives a release that is named, and says why it cannot give the newest', async (t) => {
    const server = await serveReleases(t);
    const release = fakeRelease(server.folder, { version: '1.2.3', bytes: 77 });
    publish(server.folder, release, { unlisted: true });
    const source = openSource(t, settingsFor({ releaseBaseUrl: server.mirrorUrl }));
    assert.equal(await sizeOf(source, 'v1.2.3'), 77);
    const { code, detail } = failureOf(await source.list());
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
    assert.match(
      detail,
      /has no releases\.json; without one a release is found by PODUP_RELEASE_TAG/,
    );
  });

  test('may have the layout of the pages of GitHub, where a repository is named', async (t) => {
    const server = await serveReleases(t);
    const release = fakeRelease(server.folder, { version: '1.2.3', bytes: 77 });
    publish(server.folder, release, { unlisted: true });
    const { pagesUrl: releaseBaseUrl, repository: releaseRepository } = server;
    const named = openSource(t, settingsFor({ releaseBaseUrl, releaseRepository }));
    assert.equal(await sizeOf(named, 'v1.2.3'), 77);
    const unnamed = openSource(t, settingsFor({ releaseBaseUrl }));
    assert.equal(await sizeOf(unnamed, 'v1.2.3'), undefined);
  });

  for (const [title, text, field] of [
    ['no JSON', '<html>', 'the whole'],
    ['an object', '{}', 'the whole'],
    ['a release without a tag', '[{"version":"1.0.0"}]', '0.tag'],
    ['assets that are no names', '[{"tag":"v1.0.0","assets":[1]}]', '0.assets.0'],
  ] as const) {
    test(`whose listing is ${title} is refused, and the field is named`, async (t) => {
      const server = await serveReleases(t);
      writeFileSync(join(server.folder, 'releases.json'), text);
      const source = openSource(t, settingsFor({ releaseBaseUrl: server.mirrorUrl }));
      const { code, detail } = failureOf(await source.list());
      assert.equal(code, 'RELEASE_SOURCE_INVALID');
      assert.equal(detail, `releases.json is not as it should be: ${field}.`);
    });
  }

  test('whose listing has no end is not read to the end', async (t) => {
    const server = await serveReleases(t);
    writeFileSync(join(server.folder, 'releases.json'), '[]');
    server.misbehave({ kind: 'endless' }, { asset: /releases\.json/ });
    const source = openSource(t, settingsFor({ releaseBaseUrl: server.mirrorUrl }));
    const { code, detail } = failureOf(await source.list());
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
    assert.match(detail, /releases\.json is longer than 4194304 bytes/);
  });
});
