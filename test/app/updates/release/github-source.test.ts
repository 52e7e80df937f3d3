import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { collect } from '../../../../app/updates/release/read-answer.ts';
import type { ReleaseSource } from '../../../../app/updates/release/release-source.ts';
import { ASSET, publish } from '../../../helpers/release.ts';
import type { Received } from '../../../helpers/release-server.ts';
import {
  answerRaw,
  failureOf,
  fakeRelease,
  githubSettings,
  openSource,
  SHORT_LIMITS,
  serveReleases,
} from './release-fixture.ts';

const WHOLE = { offset: 0, etag: null };

/** The bytes of an asset of a release. */
async function fetchAsset(source: ReleaseSource, tag: string, asset = ASSET): Promise<Buffer> {
  const found = await source.find(tag);
  assert.ok(found.ok && found.value);
  const opened = await source.open(found.value, asset, WHOLE);
  assert.ok(opened.ok && opened.value.kind === 'content', JSON.stringify(opened));
  const read = await collect(opened.value.bytes, 10_000_000, asset);
  assert.ok(read.ok);
  return read.value;
}

describe('releases on GitHub', () => {
  test('all pages are read, with what is a pre-release and what a draft', async (t) => {
    const server = await serveReleases(t);
    const release = fakeRelease(server.folder, { version: '0.0.1', bytes: 10 });
    for (let patch = 0; patch < 103; patch++) {
      const [prerelease, draft] = [patch === 1, patch === 2];
      publish(server.folder, release, {
        tag: `v1.0.${patch}`,
        prerelease,
        draft,
        without: ['', '.manifest.json'],
      });
    }
    const listed = await openSource(t, githubSettings(server)).list();
    assert.ok(listed.ok);
    assert.equal(listed.value.length, 103);
    const marks = listed.value.slice(-3).map(({ tag, version, isPrerelease, isDraft }) => {
      return [tag, version, isPrerelease, isDraft];
    });
    assert.deepEqual(marks, [
      ['v1.0.2', '1.0.2', false, true],
      ['v1.0.1', '1.0.1', true, false],
      ['v1.0.0', '1.0.0', false, false],
    ]);
    assert.deepEqual([...(listed.value[0]?.assets?.keys() ?? [])], [`${ASSET}.sha256`]);
    assert.deepEqual(
      server.received.map(({ path }) => new URL(path, 'http://any').searchParams.get('page')),
      ['1', '2'],
    );
  });

  test('a tag is found, or said not to be there', async (t) => {
    const server = await serveReleases(t);
    publish(server.folder, fakeRelease(server.folder, { version: '1.2.3' }));
    const source = openSource(t, githubSettings(server));
    const [found, missing] = [await source.find('v1.2.3'), await source.find('v9.9.9')];
    assert.equal(found.ok && found.value?.version, '1.2.3');
    assert.deepEqual(missing, { ok: true, value: undefined });
  });

  test('without a token files come from the pages of GitHub, through a redirect to another host', async (t) => {
    const server = await serveReleases(t);
    const release = fakeRelease(server.folder, { version: '1.2.3' });
    publish(server.folder, release);
    const bytes = await fetchAsset(openSource(t, githubSettings(server)), 'v1.2.3');
    assert.equal(bytes.length, release.bytes);
    const paths = server.received.slice(1).map(({ host, path }) => [host, path.split('/')[1]]);
    assert.deepEqual(paths, [
      ['api', 'pages'],
      ['storage', 'v1.2.3'],
    ]);
  });

  test('a token is shown to the API alone, and files then come through the API', async (t) => {
    const server = await serveReleases(t, { token: 'zgeheim-token' });
    const release = fakeRelease(server.folder, { version: '1.2.3' });
    publish(server.folder, release);
    const settings = githubSettings(server, { releaseToken: 'zgeheim-token' });
    const bytes = await fetchAsset(openSource(t, settings), 'v1.2.3');
    assert.equal(bytes.length, release.bytes);
    assert.deepEqual(
      server.received.map(({ host, path, headers }) => [
        host,
        path.split('/')[1],
        headers.authorization,
      ]),
      [
        ['api', 'repos', 'Bearer zgeheim-token'],
        ['api', 'repos', 'Bearer zgeheim-token'],
        ['storage', 'v1.2.3', undefined],
      ],
    );
  });

  test('a file that the release has not is missing, and nobody is asked for it', async (t) => {
    const server = await serveReleases(t);
    publish(server.folder, fakeRelease(server.folder, { version: '1.2.3' }));
    const source = openSource(t, githubSettings(server));
    const found = await source.find('v1.2.3');
    assert.ok(found.ok && found.value);
    const opened = await source.open(found.value, 'another', WHOLE);
    assert.deepEqual(opened, { ok: true, value: { kind: 'missing' } });
    assert.equal(server.received.length, 1);
  });
});

describe('an API that names other hosts', () => {
  /** A source whose API has one release, with its program at this place. */
  async function serveListing(t: TestContext, place: string) {
    const server = await serveReleases(t);
    publish(server.folder, fakeRelease(server.folder, { version: '1.2.3', bytes: 77 }));
    const folder = join(server.folder, 'repos', server.repository, 'releases/tags');
    mkdirSync(folder, { recursive: true });
    const url = place.replace('MIRROR', server.mirrorUrl);
    const assets = [{ name: ASSET, url, browser_download_url: url }];
    const listed = { tag_name: 'v1.2.3', draft: false, prerelease: false, assets };
    writeFileSync(join(folder, 'v1.2.3'), JSON.stringify(listed));
    const api = await serveReleases(t, { folder: server.folder });
    const settings = { releaseApiUrl: api.mirrorUrl, releaseToken: 'zgeheim-token' };
    const source = openSource(t, githubSettings(server, settings));
    return { server, api, source };
  }

  test('shows its token to none of them', async (t) => {
    const { source, server, api } = await serveListing(t, `MIRROR/v1.2.3/${ASSET}`);
    assert.equal((await fetchAsset(source, 'v1.2.3')).length, 77);
    const shown = (received: readonly Received[]) =>
      received.map(({ headers }) => headers.authorization);
    assert.deepEqual(shown(api.received), ['Bearer zgeheim-token']);
    assert.deepEqual(shown(server.received), [undefined]);
    // The API of this test is a mirror, which takes no token.
    api.faults.splice(0);
  });

  for (const place of ['http://192.0.2.1/program', 'file:///bin/true', 'program']) {
    test(`asks nobody for ${place}`, async (t) => {
      const { source, api } = await serveListing(t, place);
      const found = await source.find('v1.2.3');
      assert.ok(found.ok && found.value);
      const opened = await source.open(found.value, ASSET, WHOLE);
      assert.deepEqual(opened, { ok: true, value: { kind: 'missing' } });
      api.faults.splice(0);
    });
  }
});

describe('an API that fails', () => {
  test('a used up limit is named, with its end and what raises it', async (t) => {
    const server = await serveReleases(t);
    server.misbehave({ kind: 'rate-limited' });
    const { code, detail } = failureOf(await openSource(t, githubSettings(server)).list());
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
    assert.match(
      detail,
      /answered 403: it limits the rate of requests\. It ends at 2027-01-15T08:00/,
    );
    assert.match(detail, /a PODUP_RELEASE_TOKEN raises it\.$/);
  });

  test('500 and a head that never ends can be tried again', async (t) => {
    const server = await serveReleases(t);
    const source = openSource(t, githubSettings(server), { limits: SHORT_LIMITS });
    server.misbehave({ kind: '500' });
    assert.equal(failureOf(await source.list()).code, 'RELEASE_SOURCE_UNREACHABLE');
    server.misbehave({ kind: 'slow-head' });
    const { code, detail } = failureOf(await source.list());
    assert.equal(code, 'RELEASE_SOURCE_UNREACHABLE');
    assert.match(detail, /did not answer in time/);
  });

  test('a wrong token is refused, and not repeated in the failure', async (t) => {
    const server = await serveReleases(t, { token: 'zgeheim-token' });
    const settings = githubSettings(server, { releaseToken: 'zfalsch-token' });
    const { code, detail } = failureOf(await openSource(t, settings).list());
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
    assert.doesNotMatch(detail, /zfalsch/);
    assert.equal(server.faults.splice(0).length, 1);
  });

  test('what is not the answer of GitHub is refused', async (t) => {
    const server = await serveReleases(t);
    const place = join(server.folder, 'repos', server.repository);
    mkdirSync(place, { recursive: true });
    const settings = githubSettings(server, { releaseApiUrl: server.mirrorUrl });
    for (const body of ['<html>', '{}', '[{"tag_name":"v1.0.0"}]']) {
      writeFileSync(join(place, 'releases'), body);
      const { code, detail } = failureOf(await openSource(t, settings).list());
      assert.equal(code, 'RELEASE_SOURCE_INVALID');
      assert.match(detail, /does not answer as GitHub does\.$/);
    }
  });

  test('429 is a used up limit too', async (t) => {
    const server = await serveReleases(t);
    const url = await answerRaw(
      t,
      'HTTP/1.1 429 No\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n',
    );
    const settings = githubSettings(server, { releaseApiUrl: url });
    const { code, detail } = failureOf(await openSource(t, settings).list());
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
    assert.match(detail, /answered 429: it limits the rate of requests\. Try again in 7 s\.$/);
  });

  test('nobody there can be tried again', async (t) => {
    const settings = { releaseApiUrl: 'http://127.0.0.1:1', releaseRepository: 'a/b' } as const;
    const source = openSource(t, { releaseChannel: 'stable', releasePublicKeys: [], ...settings });
    const { code, detail } = failureOf(await source.list());
    assert.equal(code, 'RELEASE_SOURCE_UNREACHABLE');
    assert.match(detail, /ECONNREFUSED/);
  });

  test('who asks can stop it at once', async (t) => {
    const server = await serveReleases(t);
    server.misbehave({ kind: 'slow-head' });
    const stopping = new AbortController();
    const source = openSource(t, githubSettings(server), { signal: stopping.signal });
    const listing = source.list();
    setImmediate(() => stopping.abort());
    assert.equal(failureOf(await listing).code, 'UPDATE_CANCELLED');
  });
});
