import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createSelfUpdate } from '../../../app/updates/self-update.ts';
import { loadSettings } from '../../../shared/config/load-settings.ts';
import { publish } from '../../helpers/release.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { openFakeChannel } from './fake-channel.ts';
import { fakeRelease } from './release/release-fixture.ts';
import { makeState, updateStatus } from './update-fixture.ts';

function makeSelfUpdate(
  context: TestContext,
  environment: Readonly<Record<string, string>> = {},
  fake = openFakeChannel(),
) {
  const paths = makeState(context);
  const result = loadSettings({ PODUP_STATE_DIR: paths.stateDir, ...environment });
  assert.ok(result.ok);
  const { settings } = result.loaded;
  const { channel } = fake;
  const schedule = {
    view: () => ({ cron: '0 4 * * *', dry_run: false, next_run_at: null }),
  };
  return { fake, selfUpdate: createSelfUpdate({ settings, paths, channel, schedule }) };
}

describe('a look for a release', () => {
  test('is shared by all who ask for it meanwhile, and made anew afterwards', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '99.1.0' }));
    const { selfUpdate } = makeSelfUpdate(t, { PODUP_RELEASE_BASE_URL: folder });
    const [one, other] = [selfUpdate.check(), selfUpdate.check()];
    assert.equal(one, other);
    const first = await one;
    publish(folder, fakeRelease(folder, { version: '99.2.0' }));
    const second = await selfUpdate.check();
    assert.deepEqual(
      [first.ok && first.value.version, second.ok && second.value.version],
      ['99.1.0', '99.2.0'],
    );
  });

  test('is remembered by what explains', async (t) => {
    const folder = makeTempFolder(t);
    publish(folder, fakeRelease(folder, { version: '99.1.0' }));
    const { selfUpdate, fake } = makeSelfUpdate(t, { PODUP_RELEASE_BASE_URL: folder });
    fake.say(updateStatus());
    const textsOf = async () => (await selfUpdate.explain()).map(({ text }) => text).join('\n');
    assert.match(await textsOf(), /Nobody has looked for a release yet\./);
    await selfUpdate.check();
    assert.match(
      await textsOf(),
      /^A look at \d{4}-\S+Z found 99\.1\.0 \(v99\.1\.0\); 1\.0\.0 runs/m,
    );
  });
});

describe('what explains', () => {
  test('knows settings, schedule and the word of the supervisor', async (t) => {
    const { selfUpdate, fake } = makeSelfUpdate(t, {
      PODUP_RELEASE_TAG: 'v1.2.3',
      PODUP_RELEASE_CHANNEL: 'beta',
    });
    const textsOf = async () => (await selfUpdate.explain()).map(({ text }) => text).join('\n');
    assert.match(await textsOf(), /^Nothing can begin: no supervisor answers\.$/m);
    fake.say(updateStatus());
    const texts = await textsOf();
    assert.match(texts, /^Only the release v1\.2\.3 may be installed\.$/m);
    assert.match(texts, /^The schedule is 0 4 \* \* \*; it comes next never\.$/m);
  });
});

describe('what tells changes', () => {
  test('tells them until nobody wants to hear', (t) => {
    const { selfUpdate, fake } = makeSelfUpdate(t);
    const heard: number[] = [];
    const stop = selfUpdate.onStatus((change) => heard.push(change));
    fake.say(updateStatus({ change: 4 }));
    stop();
    fake.say(updateStatus({ change: 5 }));
    assert.deepEqual(heard, [4]);
  });
});
