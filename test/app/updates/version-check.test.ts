import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createSelfUpdate } from '../../../app/updates/self-update.ts';
import { createVersionCheck } from '../../../app/updates/version-check.ts';
import { loadSettings } from '../../../shared/config/load-settings.ts';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import { publish } from '../../helpers/release.ts';
import { fakeRelease, serveReleases } from './release/release-fixture.ts';
import { makeState } from './update-fixture.ts';

const HOUR_MS = 3_600_000;

/** A check over a server that plays GitHub, and a clock that the test sets. */
async function openCheck(context: TestContext) {
  const server = await serveReleases(context);
  const paths = makeState(context);
  const loaded = loadSettings({
    PODUP_STATE_DIR: paths.stateDir,
    PODUP_RELEASE_API_URL: server.apiUrl,
    PODUP_RELEASE_REPOSITORY: server.repository,
  });
  assert.ok(loaded.ok);
  const selfUpdate = createSelfUpdate({ settings: loaded.loaded.settings, paths });
  const clock = { now: Date.UTC(2030, 0, 1) };
  const check = createVersionCheck(selfUpdate.check, () => clock.now);
  return { server, clock, check };
}

describe('the check for a newer release', () => {
  test('asks GitHub once an hour, whoever and how often somebody asks', async (t) => {
    const { server, clock, check } = await openCheck(t);
    publish(server.folder, fakeRelease(server.folder, { version: '99.1.0' }));
    const answers = await Promise.all([check(), check()]);
    const asked = server.received.length;
    assert.ok(asked > 0);
    for (const answer of answers) {
      assert.deepEqual(answer, {
        ok: true,
        value: {
          current: { package: PROGRAM.version, release_tag: `v${PROGRAM.version}` },
          latest: { release_tag: 'v99.1.0', published_at: '2026-11-26T12:00:00Z' },
          has_update: true,
          compare_reason: 'semver',
          checked_at: clock.now / 1000,
        },
      });
    }
    clock.now += HOUR_MS - 1;
    await check();
    assert.equal(server.received.length, asked);
    clock.now += 1;
    await check();
    assert.ok(server.received.length > asked);
  });

  test('keeps a failure for five minutes only', async (t) => {
    const { server, clock, check } = await openCheck(t);
    const failed = await check();
    assert.equal(!failed.ok && failed.failure.code, 'RELEASE_NOT_FOUND');
    const asked = server.received.length;
    publish(server.folder, fakeRelease(server.folder, { version: '99.1.0' }));
    clock.now += HOUR_MS / 12 - 1;
    assert.equal((await check()).ok, false);
    assert.equal(server.received.length, asked);
    clock.now += 1;
    assert.equal((await check()).ok, true);
  });

  test('is asked again after the clock was set back', async (t) => {
    const { server, clock, check } = await openCheck(t);
    publish(server.folder, fakeRelease(server.folder, { version: '99.1.0' }));
    await check();
    const asked = server.received.length;
    clock.now -= 1;
    await check();
    assert.ok(server.received.length > asked);
  });
});
