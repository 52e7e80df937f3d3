import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IGNORED_REASONS, type UnitFacts } from '../../../app/domain/delivery-verdict.ts';
import { decideHookVerdicts } from '../../../app/domain/hook-verdicts.ts';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import type { HookReading, Push } from '../../../app/domain/sources/source.ts';
import { UNREADABLE_REASONS } from '../../../app/domain/sources/unreadable-reasons.ts';
import type { StoredHook } from '../../../app/domain/stored-hook.ts';
import type { RefusalReason } from '../../../app/domain/unit-triggers.ts';
import { storedHook } from '../../helpers/stored-hook.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const HELLO = 'ghcr.io/octo-org/hello';

const hook = (over: Partial<StoredHook> = {}) => storedHook('ci', over);

function pushOf(image: string, tags: readonly string[], digest?: string): Push {
  const parsed = parseImageReference(image);
  assert.ok(parsed);
  const { registry, repository } = parsed;
  return { image: { registry, repository }, tags, ...(digest !== undefined && { digest }) };
}

const reading = (...pushes: Push[]): HookReading => ({ kind: 'push', action: 'pushed', pushes });
const PUSHED = reading(pushOf(HELLO, ['main'], DIGEST));

function running(name: string, raw: string, refusal?: RefusalReason): UnitFacts {
  const image = parseImageReference(raw);
  assert.ok(image);
  return { ...unseen(name, refusal), state: 'known', image };
}

function unseen(name: string, refusal?: RefusalReason) {
  const admission =
    refusal === undefined
      ? ({ allowed: true, because: 'listed' } as const)
      : ({ allowed: false, reason: refusal } as const);
  return { name: `${name}.service`, admission, state: 'not-looked-up' } as const;
}

const WEB = running('web', `${HELLO}:main`);

/** Each unit with what it comes to: the reason where it is ignored, else how it matched, and the image of its task. */
function decide(from: HookReading, by: StoredHook, units: readonly UnitFacts[]) {
  const { verdicts, push, isDoubtful } = decideHookVerdicts(from, by, units);
  const told = verdicts.map(({ unit, verdict, push: about }) => {
    const of = about && `${about.image.repository}:${about.tags.join(',')}`;
    switch (verdict.verdict) {
      case 'accepted':
        return [unit, verdict.matched, verdict.image, verdict.digest, of];
      case 'ignored':
        return [unit, verdict.reason, verdict.detail, of];
      default:
        return [unit, verdict.verdict];
    }
  });
  return { told, isDoubtful, images: push?.pushes.map(({ image }) => image.repository) };
}

const toldOf = (...args: Parameters<typeof decide>) => decide(...args).told;
const OWN = 'octo-org/hello:main';

describe('what a delivery of a hook comes to without any unit', () => {
  test('a ping is one', () => {
    const decided = decide({ kind: 'ping' }, hook(), [WEB]);
    assert.deepEqual(decided, { told: [['', 'ping']], isDoubtful: false, images: undefined });
  });

  for (const reason of Object.keys(UNREADABLE_REASONS) as (keyof typeof UNREADABLE_REASONS)[])
    test(`what could not be read is ignored once: ${reason}`, () => {
      const decided = decide({ kind: 'ignored', reason, detail: 'x' }, hook(), [WEB]);
      assert.deepEqual(decided.told, [['', reason, 'x', undefined]]);
      assert.equal(decided.isDoubtful, false);
    });

  test('one that names no image is about none where the hook is set up for none', () => {
    const from: HookReading = { kind: 'success-without-image', action: 'success' };
    for (const image of [null, 'not an image'])
      assert.deepEqual(toldOf(from, hook({ image }), [WEB]), [
        ['', 'hook-without-image', 'The hook is ci.', undefined],
      ]);
  });

  test('one that names no image is about that of the hook, with its tag', () => {
    const from: HookReading = { kind: 'success-without-image', action: 'success' };
    const edge = running('edge', `${HELLO}:edge`);
    assert.deepEqual(toldOf(from, hook({ image: `${HELLO}:main` }), [WEB, edge]), [
      ['web.service', 'tag', `${HELLO}:main`, undefined, OWN],
      ['edge.service', 'repository', `${HELLO}:edge`, undefined, OWN],
    ]);
    assert.equal(toldOf(from, hook({ image: HELLO }), [WEB])[0]?.[1], 'repository', 'its latest');
  });

  test('an image that no pattern allows is for nobody, and memory is not to blame', () => {
    const decided = decide(PUSHED, hook({ images: ['ghcr.io/another/*'] }), [WEB]);
    assert.deepEqual(decided.told, [
      ['', 'hook-image-not-allowed', `Pushed was ${HELLO}.`, undefined],
    ]);
    assert.deepEqual([decided.isDoubtful, decided.images], [false, undefined]);
  });

  test('an image that no unit runs is for nobody, as far as is known', () => {
    const other = running('other', 'ghcr.io/octo-org/other:main');
    for (const units of [[], [other]]) {
      const decided = decide(PUSHED, hook(), units);
      assert.deepEqual(decided.told, [['', 'hook-without-unit', `Pushed was ${HELLO}.`, OWN]]);
      assert.deepEqual([decided.isDoubtful, decided.images], [true, ['octo-org/hello']]);
    }
  });

  test('of many images three are named, each once', () => {
    const all = ['a', 'b', 'b', 'c', 'd'].map((name) => pushOf(`ghcr.io/o/${name}`, ['1']));
    const said = (pushes: readonly Push[]) => toldOf(reading(...pushes), hook(), [])[0]?.[2];
    assert.equal(said(all), 'Pushed was ghcr.io/o/a, ghcr.io/o/b, ghcr.io/o/c and more.');
    assert.equal(said(all.slice(0, 4)), 'Pushed was ghcr.io/o/a, ghcr.io/o/b, ghcr.io/o/c.');
  });
});

describe('what a delivery of a hook comes to for units', () => {
  test('each that runs the repository is one, and what runs something else is left out', () => {
    const units = [
      WEB,
      running('edge', `${HELLO}:edge`),
      running('other', 'ghcr.io/octo-org/other:main'),
      running('far', 'quay.io/octo-org/hello:main'),
    ];
    const decided = decide(PUSHED, hook(), units);
    assert.deepEqual(decided.told, [
      ['web.service', 'tag', `${HELLO}:main`, DIGEST, OWN],
      ['edge.service', 'repository', `${HELLO}:edge`, undefined, OWN],
    ]);
    assert.equal(decided.isDoubtful, false);
  });

  test('that runs an image by its digest is told that no push changes it', () => {
    const pinned = running('pinned', `${HELLO}@${DIGEST}`);
    assert.equal(toldOf(PUSHED, hook(), [pinned])[0]?.[1], 'unit-image-pinned');
  });

  test('whose tag no pattern allows is told so, though its repository was pushed', () => {
    const by = hook({ images: [`${HELLO}:v*`] });
    assert.deepEqual(toldOf(PUSHED, by, [WEB, running('v1', `${HELLO}:v1`)]), [
      [
        'web.service',
        'hook-image-not-allowed',
        `web.service runs ${HELLO}:main.`,
        'octo-org/hello:main',
      ],
      ['v1.service', 'repository', `${HELLO}:v1`, undefined, OWN],
    ]);
  });

  for (const [refusal, reason] of [
    ['unknown', 'unit-unknown'],
    ['webhooks-off', 'unit-webhooks-off'],
    ['not-opted-in', 'unit-not-opted-in'],
    ['discovery-off', 'unit-not-opted-in'],
  ] as const)
    test(`that webhooks may not deploy (${refusal}) is told so where the hook names it, and no hook deploys it`, () => {
      const closed = running('web', `${HELLO}:main`, refusal);
      const named = hook({ units: ['web.service'] });
      assert.equal(toldOf(PUSHED, named, [closed])[0]?.[1], reason);
      assert.deepEqual(toldOf(PUSHED, named, [unseen('web', refusal)])[0]?.[1], reason);
      assert.equal(toldOf(PUSHED, hook(), [closed])[0]?.[1], 'hook-without-unit');
    });

  for (const [state, reason] of [
    ['unknown-to-systemd', 'unit-not-found'],
    ['image-unknown', 'unit-image-unknown'],
  ] as const)
    test(`that is ${state} is told so where the hook names it, and is left out otherwise`, () => {
      const unit = { ...unseen('web'), state };
      const named = toldOf(PUSHED, hook({ units: ['web.service'] }), [unit]);
      assert.deepEqual(named, [['web.service', reason, 'The unit is web.service.', undefined]]);
      assert.equal(toldOf(PUSHED, hook(), [unit])[0]?.[1], 'hook-without-unit');
    });

  test('that could not be asked yet has a task that looks, for what was pushed where that is one image', () => {
    assert.deepEqual(toldOf(PUSHED, hook(), [unseen('web')]), [
      ['web.service', 'repository', `${HELLO}:main`, undefined, undefined],
    ]);
    const two = reading(pushOf(HELLO, ['main']), pushOf('ghcr.io/o/b', ['main']));
    assert.equal(toldOf(two, hook(), [unseen('web')])[0]?.[2], undefined);
    const untagged = reading(pushOf(HELLO, []));
    assert.equal(toldOf(untagged, hook(), [unseen('web')])[0]?.[2], `${HELLO}:latest`);
  });

  test('of several pushes is about that of its own tag', () => {
    const from = reading(
      pushOf('ghcr.io/o/b', ['main']),
      pushOf(HELLO, ['edge']),
      pushOf(HELLO, ['main'], DIGEST),
    );
    assert.deepEqual(toldOf(from, hook(), [WEB, running('old', `${HELLO}:old`)]), [
      ['web.service', 'tag', `${HELLO}:main`, DIGEST, OWN],
      ['old.service', 'repository', `${HELLO}:old`, undefined, 'octo-org/hello:edge'],
    ]);
  });

  test('of a hook that only checks is looked at, and what comes to nothing anyway says why', () => {
    const by = hook({ action: 'check', units: ['web.service', 'pinned.service', 'new.service'] });
    const units = [WEB, running('pinned', `${HELLO}@${DIGEST}`), unseen('new')];
    assert.deepEqual(
      toldOf(PUSHED, by, units).map(([unit, reason]) => [unit, reason]),
      [
        ['web.service', 'hook-only-checks'],
        ['pinned.service', 'unit-image-pinned'],
        ['new.service', 'hook-only-checks'],
      ],
    );
  });

  test('says nothing but what is in the closed list, and never that a unit runs another image', () => {
    const states = ['unknown-to-systemd', 'image-unknown', 'not-looked-up'] as const;
    const refusals = [undefined, 'unknown', 'webhooks-off', 'not-opted-in'] as const;
    const units = refusals.flatMap((refusal) => [
      ...states.map((state) => ({ ...unseen('a', refusal), state })),
      ...[`${HELLO}:main`, HELLO, `${HELLO}@${DIGEST}`, 'ghcr.io/o/b:1'].map((image) =>
        running('a', image, refusal),
      ),
    ]);
    const hooks = (['deploy', 'check'] as const).flatMap((action) =>
      [[], ['a.service']].flatMap((names) =>
        [[], [`${HELLO}:v*`], ['ghcr.io/another/**']].map((images) =>
          hook({ action, units: names, images }),
        ),
      ),
    );
    const all = units.flatMap((unit) =>
      hooks.map((by) => ({ unit, by, ...decideHookVerdicts(PUSHED, by, [unit]) })),
    );
    const accepted = all.filter(({ verdicts: [one] }) => one.verdict.verdict === 'accepted');
    assert.ok(accepted.length > 0);
    assert.ok(
      accepted.every(({ unit, by }) => unit.admission.allowed && by.action === 'deploy'),
      'what is deployed may be',
    );
    const reasons = all.flatMap(({ verdicts: [{ verdict }] }) =>
      verdict.verdict === 'ignored' ? verdict.reason : [],
    );
    assert.equal(accepted.length + reasons.length, all.length);
    const others = ['hook-without-image', 'unit-image-differs'];
    const expected = Object.keys(IGNORED_REASONS).filter(
      (reason) => !(reason in UNREADABLE_REASONS || others.includes(reason)),
    );
    assert.deepEqual([...new Set<string>(reasons)].sort(), expected.sort());
  });
});
