import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkInstalled } from '../../../supervisor/acts/check-installed.ts';
import type { HelperEnd } from '../../../supervisor/acts/run-helper.ts';

const PROGRAM = { target: '/bin/new', old: '/bin/old' };
const DIGEST = 'b'.repeat(64);

type Found = readonly (readonly [name: string, detail: string | null])[];

/** An answer of `post-update-check`: each check with what is wrong, or null. */
function answer(checks: Found): HelperEnd {
  const views = checks.map(([name, detail]) => ({
    name,
    failure: detail === null ? null : { code: 'RELEASE_SOURCE_UNREACHABLE', detail },
  }));
  return { ok: true, value: { version: '2.0.0', digest: DIGEST, checks: views } };
}

/** The check of a new program, and what was asked of whom. */
async function check(ends: { readonly now: HelperEnd; readonly before?: HelperEnd }) {
  const asked: string[] = [];
  const ask = async (file: string, args: readonly string[]) => {
    asked.push([file, ...args].join(' '));
    return file === PROGRAM.target
      ? ends.now
      : (ends.before ?? { ok: false as const, detail: 'none' });
  };
  return { checked: await checkInstalled(ask, PROGRAM, DIGEST), asked };
}

const NOW = `/bin/new post-update-check --expect ${DIGEST}`;
const BEFORE = '/bin/old post-update-check';

describe('checkInstalled', () => {
  test('all well is well, and the old program is not asked', async () => {
    const now = answer([
      ['own-files', null],
      ['registry', null],
    ]);
    assert.deepEqual(await check({ now }), {
      checked: { failure: null, warnings: [] },
      asked: [NOW],
    });
  });

  for (const [title, now, detail] of [
    ['no answer', { ok: false, detail: 'It ended with 1.' }, 'It ended with 1.'],
    [
      'another answer',
      { ok: true, value: { checks: [] } },
      'The answer of post-update-check cannot be read.',
    ],
  ] as const) {
    test(`${title} counts against the new program`, async () => {
      const { checked } = await check({ now });
      const failure = { code: 'UPDATE_CHECK_FAILED', detail };
      assert.deepEqual(checked, { failure, warnings: [] });
    });
  }

  for (const name of ['own-files', 'database']) {
    test(`${name} must be well, whatever the old program finds`, async () => {
      const now = answer([
        ['registry', 'down'],
        [name, 'broken'],
      ]);
      const { checked, asked } = await check({ now, before: answer([[name, 'broken']]) });
      assert.match(checked.failure?.detail ?? '', new RegExp(`^${name}: .*broken`));
      assert.deepEqual(asked, [NOW]);
    });
  }

  const BAD = answer([
    ['own-files', null],
    ['registry', 'down'],
  ]);
  const JUDGED: readonly [string, HelperEnd, boolean][] = [
    ['finds well counts against the new one', answer([['registry', null]]), true],
    ['finds down as well is a warning', answer([['registry', 'down too']]), false],
    [
      'finds down in part is a warning',
      answer([
        ['registry', null],
        ['registry', 'one of them'],
      ]),
      false,
    ],
    ['does not look at is a warning', answer([['own-files', null]]), false],
    ['cannot be asked about is a warning', { ok: false, detail: 'gone' }, false],
    ['answers about in another way is a warning', { ok: true, value: 7 }, false],
  ];
  for (const [title, before, isBlamed] of JUDGED) {
    test(`a source that the old program ${title}`, async () => {
      const { checked, asked } = await check({ now: BAD, before });
      assert.equal(checked.failure?.code, isBlamed ? 'UPDATE_CHECK_FAILED' : undefined);
      assert.deepEqual(checked.warnings, ['registry: down']);
      assert.deepEqual(asked, [NOW, BEFORE]);
    });
  }

  test('what is told stays within its bounds', async () => {
    const long = 'x'.repeat(1_900);
    const warned = await check({ now: answer([['registry', long]]) });
    assert.equal(warned.checked.warnings[0]?.length, 500);
    const failed = await check({ now: answer([['database', long]]) });
    assert.equal(failed.checked.failure?.detail.length, 1_000);
  });
});
