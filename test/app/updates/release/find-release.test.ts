import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { toChoice } from '../../../../app/updates/release/find-release.ts';
import { parsePublicKeys } from '../../../../shared/config/setting-values.ts';
import { ASSET, makeSigner, publish, type Signer } from '../../../helpers/release.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';
import {
  failureOf,
  fakeRelease,
  find,
  githubSettings,
  RUNS,
  serveReleases,
  settingsFor,
  wishFor,
  wordFor,
} from './release-fixture.ts';

const keysOf = (...signers: Signer[]) =>
  parsePublicKeys(signers.map(({ setting }) => setting).join(' ')) ?? [];

/** A folder with these versions, each of the version's own bytes. */
function publishAll(folder: string, versions: readonly string[]) {
  const releases = versions.map((version, index) =>
    fakeRelease(folder, { version, generation: index + 1 }),
  );
  for (const release of releases) publish(folder, release);
  return releases;
}

describe('without a tag', () => {
  test('the newest release of the channel is found, on GitHub as in a folder', async (t) => {
    const server = await serveReleases(t);
    const { folder } = server;
    publishAll(folder, ['1.1.0', '1.10.0', '1.9.0']);
    publish(folder, fakeRelease(folder, { version: '2.0.0-rc.1' }), { prerelease: true });
    publish(folder, fakeRelease(folder, { version: '3.0.0' }), { draft: true });
    for (const settings of [
      settingsFor({ releaseBaseUrl: folder }),
      settingsFor({ releaseBaseUrl: server.mirrorUrl }),
      githubSettings(server),
    ]) {
      assert.equal(wordFor(await find(settings)), 'v1.10.0');
      const beta = { ...settings, releaseChannel: 'beta' as const };
      assert.equal(wordFor(await find(beta)), 'v2.0.0-rc.1');
    }
  });

  test('looking fetches no byte of a program', async (t) => {
    const server = await serveReleases(t);
    publishAll(server.folder, ['1.1.0', '1.2.0']);
    assert.equal(wordFor(await find(githubSettings(server))), 'v1.2.0');
    assert.deepEqual(
      server.received.filter(({ host }) => host === 'storage').map(({ path }) => path),
      [`/v1.2.0/${ASSET}.manifest.json`, `/v1.2.0/${ASSET}.sha256`],
    );
  });

  test('what failed here is passed over for the next one that is newer', async (t) => {
    const folder = makeTempFolder(t);
    const [, second, third] = publishAll(folder, ['1.1.0', '1.2.0', '1.3.0']);
    const settings = settingsFor({ releaseBaseUrl: folder });
    const quarantine = [third?.digest ?? '', second?.digest ?? ''];
    const found = await find(settings, { quarantine });
    assert.ok(found.ok && found.value.kind === 'other');
    assert.equal(found.value.facts.tag, 'v1.1.0');
    assert.deepEqual(found.value.skipped, ['v1.3.0', 'v1.2.0']);
    assert.equal(wordFor(await find(settings, { quarantine, force: true })), 'v1.3.0');
  });

  test('where all that is newer failed here the newest of it is named', async (t) => {
    const folder = makeTempFolder(t);
    const [old, first, second] = publishAll(folder, ['0.9.0', '1.1.0', '1.2.0']);
    const quarantine = [first?.digest ?? '', second?.digest ?? '', old?.digest ?? ''];
    const found = await find(settingsFor({ releaseBaseUrl: folder }), { quarantine });
    const { code, detail } = failureOf(found);
    assert.equal(code, 'RELEASE_QUARANTINED');
    assert.match(detail, /^v1\.2\.0 /);
  });

  test('the program that runs is current', async (t) => {
    const folder = makeTempFolder(t);
    const [release] = publishAll(folder, ['1.0.0']);
    const current = { version: '1.0.0', digest: release?.digest ?? '', tag: null };
    const settings = settingsFor({ releaseBaseUrl: folder });
    assert.equal(wordFor(await find(settings, { current })), 'current');
    assert.equal(wordFor(await find(settings, { current, force: true })), 'v1.0.0');
  });

  test('the version that runs is current where nothing is left to compare its program with', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '1.0.0' }), {
      without: ['.sha256', '.manifest.json'],
    });
    assert.equal(wordFor(await find(settingsFor({ releaseBaseUrl: folder }))), 'current');
  });

  test('what is older is refused without being asked for more', async (t) => {
    const server = await serveReleases(t);
    publishAll(server.folder, ['0.9.0']);
    assert.equal(wordFor(await find(githubSettings(server))), 'RELEASE_DOWNGRADE');
    assert.equal(server.received.length, 1);
  });

  test('a release without a program for this host is no release yet', async (t) => {
    const server = await serveReleases(t);
    publishAll(server.folder, ['1.1.0']);
    publish(server.folder, fakeRelease(server.folder, { version: '1.2.0' }), { without: [''] });
    assert.equal(wordFor(await find(githubSettings(server))), 'v1.1.0');
  });

  test('no release at all is said so', async (t) => {
    const server = await serveReleases(t);
    const { code, detail } = failureOf(await find(githubSettings(server)));
    assert.equal(code, 'RELEASE_NOT_FOUND');
    assert.match(
      detail,
      /^owner\/pod-upgrade-trigger at 127\.0\.0\.1:\d+ has no release of channel stable/,
    );
  });

  test('without a source that is said', async () => {
    const { code, detail } = failureOf(await find(settingsFor({})));
    assert.equal(code, 'RELEASE_SOURCE_UNREACHABLE');
    assert.match(detail, /^Neither PODUP_RELEASE_REPOSITORY nor PODUP_RELEASE_BASE_URL is set\.$/);
  });
});

describe('with a tag', () => {
  test('that release is found, a pre-release too; the wish goes before the setting', async (t) => {
    const folder = makeTempFolder(t);
    publishAll(folder, ['1.1.0', '1.2.0-rc.1', '1.3.0']);
    const settings = settingsFor({ releaseBaseUrl: folder, releaseTag: 'v1.1.0' });
    assert.equal(wordFor(await find(settings)), 'v1.1.0');
    assert.equal(wordFor(await find(settings, { tag: 'v1.2.0-rc.1' })), 'v1.2.0-rc.1');
  });

  test('an older, a failed, a replayed, a replaced one is refused; with force none is', async (t) => {
    const folder = makeTempFolder(t);
    const [older, same, newer] = publishAll(folder, ['0.9.0', '1.0.0', '1.1.0']);
    const settings = settingsFor({ releaseBaseUrl: folder });
    const cases = [
      [{ tag: older?.tag ?? '' }, 'RELEASE_DOWNGRADE'],
      [{ tag: same?.tag ?? '' }, 'RELEASE_MISMATCH'],
      [{ tag: newer?.tag ?? '', quarantine: [newer?.digest ?? ''] }, 'RELEASE_QUARANTINED'],
      [{ tag: newer?.tag ?? '', generationFloor: 3 }, 'RELEASE_DOWNGRADE'],
    ] as const;
    for (const [wish, code] of cases) {
      assert.equal(wordFor(await find(settings, wish)), code);
      assert.equal(wordFor(await find(settings, { ...wish, force: true })), wish.tag);
    }
  });

  test('a tag that names no version takes it from the manifest', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '1.1.0' }), { tag: 'nightly' });
    const listing = [{ tag: 'nightly', prerelease: true }];
    writeFileSync(join(folder, 'releases.json'), JSON.stringify(listing));
    const settings = settingsFor({ releaseBaseUrl: folder, releaseTag: 'nightly' });
    const found = await find(settings);
    assert.equal(found.ok && found.value.kind === 'other' && found.value.facts.version, '1.1.0');
    rmSync(join(folder, 'nightly', `${ASSET}.manifest.json`));
    assert.equal(wordFor(await find(settings)), 'RELEASE_SOURCE_INVALID');
  });

  test('what is not there, and what is no tag, is not found', async (t) => {
    const server = await serveReleases(t);
    publishAll(server.folder, ['1.1.0']);
    publish(server.folder, fakeRelease(server.folder, { version: '2.0.0' }), { draft: true });
    for (const tag of ['v9.9.9', 'v2.0.0', '../v1.1.0', '']) {
      assert.equal(wordFor(await find(githubSettings(server), { tag })), 'RELEASE_NOT_FOUND');
      const settings = settingsFor({ releaseBaseUrl: server.folder });
      assert.equal(wordFor(await find(settings, { tag })), 'RELEASE_NOT_FOUND');
    }
  });

  test('a release that names no digest is not found', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '1.1.0' }), {
      without: ['.sha256', '.manifest.json'],
    });
    const settings = settingsFor({ releaseBaseUrl: folder, releaseTag: 'v1.1.0' });
    const { code, detail } = failureOf(await find(settings));
    assert.equal(code, 'RELEASE_NOT_FOUND');
    assert.match(detail, /^v1\.1\.0 has neither a checksum nor a manifest/);
  });
});

describe('without keys', () => {
  test('a checksum file is enough, and so is a manifest', async (t) => {
    const folder = makeTempFolder(t);
    const settings = settingsFor({ releaseBaseUrl: folder });
    const release = fakeRelease(folder, { version: '1.1.0' });
    publish(folder, release, { without: ['.manifest.json'] });
    const summed = await find(settings);
    assert.ok(summed.ok && summed.value.kind === 'other');
    const { digest, manifest, signedBy } = summed.value.facts;
    assert.deepEqual([digest, manifest, signedBy], [release.digest, null, null]);
    publish(folder, fakeRelease(folder, { version: '1.2.0' }), { without: ['.sha256'] });
    assert.equal(wordFor(await find(settings)), 'v1.2.0');
  });

  test('a checksum that is not that of the manifest is refused', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '1.1.0' }), { sha256: 'c'.repeat(64) });
    const { code, detail } = failureOf(await find(settingsFor({ releaseBaseUrl: folder })));
    assert.equal(code, 'RELEASE_MISMATCH');
    assert.match(detail, /Manifest and checksum file of v1\.1\.0 name different programs/);
  });

  for (const [title, manifest, code] of [
    ['another product', { product: 'another' }, 'RELEASE_MISMATCH'],
    ['another version', { version: '1.1.1' }, 'RELEASE_MISMATCH'],
    ['another platform', { platform: 'aarch64-unknown-linux-gnu' }, 'RELEASE_INCOMPATIBLE'],
    ['a format that nobody knows', { v: 2 }, 'RELEASE_SOURCE_INVALID'],
  ] as const) {
    test(`a manifest of ${title} is refused: ${code}`, async (t) => {
      const folder = makeTempFolder(t);
      publish(folder, fakeRelease(folder, { version: '1.1.0' }), { manifest });
      assert.equal(wordFor(await find(settingsFor({ releaseBaseUrl: folder }))), code);
    });
  }
});

describe('with keys', () => {
  const [publisher, stranger] = [makeSigner('publisher'), makeSigner('stranger')];
  const at = (folder: string, ...signers: Signer[]) =>
    settingsFor({ releaseBaseUrl: folder, releasePublicKeys: keysOf(...signers) });

  test('a signature of one of them is enough, beside those of others', async (t) => {
    const folder = makeTempFolder(t);
    const other = makeSigner('other');
    publish(folder, fakeRelease(folder, { version: '1.1.0' }), { sign: [stranger, publisher] });
    const found = await find(at(folder, other, publisher));
    assert.ok(found.ok && found.value.kind === 'other');
    assert.equal(found.value.facts.signedBy, 'publisher');
  });

  test('the checksum file counts for nothing', async (t) => {
    const folder = makeTempFolder(t);
    const release = fakeRelease(folder, { version: '1.1.0' });
    publish(folder, release, { sign: publisher, sha256: 'c'.repeat(64) });
    const found = await find(at(folder, publisher));
    assert.equal(
      found.ok && found.value.kind === 'other' && found.value.facts.digest,
      release.digest,
    );
  });

  for (const [title, sign, said] of [
    ['nobody', [], /has no signature file/],
    ['a stranger', [stranger], /signed by "stranger", whom nobody knows here/],
    [
      'a stranger under the name of the publisher',
      [{ ...stranger, keyId: 'publisher' }],
      /publisher is not over this/,
    ],
    ['a publisher whose key was taken away', [makeSigner('revoked')], /signed by "revoked"/],
  ] as const) {
    test(`what is signed by ${title} is refused`, async (t) => {
      const folder = makeTempFolder(t);
      publish(folder, fakeRelease(folder, { version: '1.1.0' }), { sign });
      const { code, detail } = failureOf(await find(at(folder, publisher)));
      assert.equal(code, 'RELEASE_UNSIGNED');
      assert.match(detail, said);
    });
  }

  test('a manifest that was changed by one blank is not the one that was signed', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '1.1.0' }), { sign: publisher });
    appendFileSync(join(folder, 'v1.1.0', `${ASSET}.manifest.json`), ' ');
    assert.equal(wordFor(await find(at(folder, publisher))), 'RELEASE_UNSIGNED');
  });

  test('a signature of another release fits its own manifest only, which is of another version', async (t) => {
    const folder = makeTempFolder(t);
    for (const version of ['1.1.0', '1.2.0']) {
      publish(folder, fakeRelease(folder, { version }), { sign: publisher });
    }
    for (const suffix of ['.manifest.json', '.manifest.json.sig']) {
      const [from, to] = ['v1.1.0', 'v1.2.0'].map((tag) => join(folder, tag, `${ASSET}${suffix}`));
      writeFileSync(to ?? '', readFileSync(from ?? ''));
    }
    assert.equal(wordFor(await find(at(folder, publisher))), 'RELEASE_MISMATCH');
  });

  for (const [title, manifest, code] of [
    ['product', { product: 'another' }, 'RELEASE_MISMATCH'],
    ['platform', { platform: 'x86_64-unknown-linux-musl' }, 'RELEASE_INCOMPATIBLE'],
    ['generation', { generation: 4 }, 'RELEASE_DOWNGRADE'],
  ] as const) {
    test(`a good signature over another ${title} helps nobody: ${code}`, async (t) => {
      const folder = makeTempFolder(t);
      publish(folder, fakeRelease(folder, { version: '1.1.0' }), { sign: publisher, manifest });
      assert.equal(wordFor(await find(at(folder, publisher), { generationFloor: 4 })), code);
    });
  }

  for (const [title, content] of [
    ['no JSON', 'signature'],
    ['an empty list', '{"v":1,"signatures":[]}'],
    ['of a newer format', '{"v":2,"signatures":[]}'],
    [
      'a signature of a few bytes',
      '{"v":1,"signatures":[{"keyId":"publisher","signature":"AAAA"}]}',
    ],
  ] as const) {
    test(`a signature file that is ${title} is refused`, async (t) => {
      const folder = makeTempFolder(t);
      publish(folder, fakeRelease(folder, { version: '1.1.0' }), { sign: publisher });
      writeFileSync(join(folder, 'v1.1.0', `${ASSET}.manifest.json.sig`), content);
      assert.equal(wordFor(await find(at(folder, publisher))), 'RELEASE_UNSIGNED');
    });
  }
});

test('a host for which no program is built is told so before anybody is asked', () => {
  const choice = toChoice(settingsFor({}), wishFor(), 'aarch64-unknown-linux-gnu');
  const { code, detail } = failureOf(choice);
  assert.equal(code, 'RELEASE_INCOMPATIBLE');
  assert.match(detail, /^No program is built for this host, aarch64-unknown-linux-gnu\.$/);
});

test('the program that runs is told by its digest, not by its version', async (t) => {
  const folder = makeTempFolder(t);
  publish(folder, fakeRelease(folder, { version: '1.0.0' }), {
    manifest: { sha256: RUNS },
    sha256: RUNS,
  });
  assert.equal(wordFor(await find(settingsFor({ releaseBaseUrl: folder }))), 'current');
});
