import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CheckedUnit } from '../../../app/db/update-checks.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const open = (t: TestContext) => openTestStore(t, makeTempFolder(t)).store;
const UNIT: CheckedUnit = {
  unit: 'web.service',
  image: 'ghcr.io/o/web:1',
  latestImage: 'ghcr.io/o/web:latest',
  platform: 'linux/amd64',
  containers: [['index', 'manifest'], ['old']],
  seenAt: 1,
  failure: null,
  higher: { wanted: 'minor', tags: ['2', '1.1'], isCut: true, failure: null, listedAt: 5 },
  checkedAt: 2,
};

test('a unit is told with what is known of its tags', (t) => {
  const { updateChecks, registryAnswers } = open(t);
  updateChecks.put(UNIT);
  const [bare] = updateChecks.list();
  assert.deepEqual(bare, { ...UNIT, tag: undefined, latest: undefined });
  registryAnswers.noteTag('ghcr.io/o/web:1', { digest: 'index', isIndex: true }, 10);
  registryAnswers.noteManifest('index', 'linux/amd64', 'one');
  registryAnswers.noteManifest('index', 'linux/amd64', 'two');
  registryAnswers.noteManifest('index', 'linux/arm64', 'other');
  registryAnswers.noteFailure(
    'ghcr.io/o/web:latest',
    { code: 'REGISTRY_TIMEOUT', detail: 'x' },
    11,
  );
  const [known] = updateChecks.list();
  const answered = { digest: 'index', isIndex: true, resolvedAt: 10, checkedAt: 10, failure: null };
  assert.deepEqual(known?.tag, { ...answered, platformDigests: ['one', 'two'] });
  assert.deepEqual(known?.latest, {
    ...{ digest: null, isIndex: false, platformDigests: [], resolvedAt: null, checkedAt: 11 },
    failure: { code: 'REGISTRY_TIMEOUT', detail: 'x' },
  });
  updateChecks.put({ ...UNIT, latestImage: null, higher: null });
  assert.equal(updateChecks.list()[0]?.latest, null);
});

test('a failure keeps what a tag meant, and is over with the next answer', (t) => {
  const { registryAnswers: answers } = open(t);
  const failure = { code: 'REGISTRY_TIMEOUT', detail: '' } as const;
  answers.noteTag('a', { digest: 'd', isIndex: false }, 10);
  assert.equal(answers.answeredAt('a'), 10);
  answers.noteFailure('a', failure, 11);
  assert.equal(answers.answeredAt('a'), undefined);
  assert.deepEqual(answers.findTag('a'), { digest: 'd', isIndex: false });
  answers.noteTag('a', { digest: 'e', isIndex: true }, 12);
  assert.equal(answers.answeredAt('a'), 12);
  answers.noteFailure('b', failure, 11);
  assert.equal(answers.findTag('b'), undefined);
});

test('what a deployment saw to run replaces what was seen before', (t) => {
  const { updateChecks } = open(t);
  updateChecks.noteRunning('web.service', 'new', 3);
  assert.deepEqual(updateChecks.list(), []);
  const failure = { code: 'CHECK_NOTHING_RUNS', detail: '' } as const;
  updateChecks.put({ ...UNIT, failure });
  updateChecks.noteRunning('web.service', 'manifest', 3);
  const [known] = updateChecks.list();
  assert.deepEqual([known?.containers, known?.seenAt], [[['index', 'manifest']], 3]);
  assert.equal(known?.failure, null);
  updateChecks.noteRunning('web.service', 'new', 4);
  assert.deepEqual(updateChecks.list()[0]?.containers, [['new']]);
});

test('what nobody asks for any more is forgotten', (t) => {
  const { updateChecks, registryAnswers: answers } = open(t);
  answers.noteTag('old', { digest: 'd', isIndex: true }, 10);
  answers.noteTag('new', { digest: 'e', isIndex: true }, 20);
  answers.noteManifest('d', 'p', 'm');
  answers.noteManifest('e', 'p', 'm');
  const quota = { limit: 1, remaining: 1, windowS: null, resetS: 2 };
  const limit = { quota, pausedUntil: 5, refusals: 1 };
  answers.noteLimit('old', { ...limit, quota: null }, 10);
  answers.noteLimit('new', limit, 20);
  assert.deepEqual(answers.limitOf('old'), { ...limit, quota: null });
  answers.forgetBefore(20);
  assert.equal(answers.findTag('old'), undefined);
  assert.equal(answers.hasManifests('d', 'p'), false);
  assert.equal(answers.hasManifests('e', 'p'), true);
  assert.equal(answers.hasManifests('e', 'other'), false);
  assert.deepEqual(answers.listLimits(), [{ host: 'new', updatedAt: 20, ...limit }]);
  updateChecks.put(UNIT);
  updateChecks.keepOnly([]);
  assert.deepEqual(updateChecks.list(), []);
});
