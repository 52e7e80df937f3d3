import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  gather,
  ignore,
  isRegistryPrefix,
  toPush,
} from '../../../../app/domain/sources/pushed-images.ts';
import type { UnreadableReason } from '../../../../app/domain/sources/unreadable-reasons.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const OTHER = `sha256:${'1b'.repeat(32)}`;
const IMAGE = { registry: 'reg.example:5000', repository: 'acme/web' };
const NOTHING = ignore('event-not-handled', 'Nothing.');

describe('isRegistryPrefix', () => {
  for (const prefix of [
    'reg.example',
    'reg.example:5000',
    'localhost',
    'acme.jfrog.io/docker-local',
  ])
    test(`${prefix} is one`, () => assert.ok(isRegistryPrefix(prefix)));

  for (const prefix of [
    '',
    'acme',
    'reg.example/',
    '/reg.example',
    'https://reg.example',
    'Reg.example',
    'reg.example:5000:1',
    'reg.example/a:tag',
    `reg.example/a@${DIGEST}`,
    'reg.example/../x',
    'a b.example',
    'user@reg.example',
    'index.docker.io',
    'x'.repeat(600),
  ])
    test(`${JSON.stringify(prefix.slice(0, 40))} is none`, () =>
      assert.ok(!isRegistryPrefix(prefix)));
});

describe('toPush', () => {
  test('takes each valid tag once, and a valid digest', () =>
    assert.deepEqual(toPush(IMAGE, ['a', 'a', '', 7, null, '-x', 'b'], DIGEST), {
      image: IMAGE,
      tags: ['a', 'b'],
      digest: DIGEST,
    }));

  test('takes no other digest', () =>
    assert.deepEqual(toPush(IMAGE, ['a'], 'sha256:0a'), { image: IMAGE, tags: ['a'] }));

  test('is an untagged child without any tag', () =>
    assert.deepEqual(
      toPush(IMAGE, [DIGEST], DIGEST),
      ignore('untagged-child', `It is reg.example:5000/acme/web@${DIGEST}.`),
    ));

  for (const suffix of ['', '.sig', '.att', '.sbom'])
    test(`is attached to an image when the only tag ends in ${suffix || 'nothing'}`, () => {
      const tag = `sha256-${'0a'.repeat(32)}${suffix}`;
      const push = toPush(IMAGE, [tag], DIGEST);
      assert.equal('kind' in push && push.reason, 'attached-artifact');
      assert.deepEqual(toPush(IMAGE, [tag, 'a']), { image: IMAGE, tags: ['a'] });
    });
});

describe('gather', () => {
  test('joins tags of one digest and keeps apart those of another', () => {
    const of = (digest: string, ...tags: string[]) => ({ image: IMAGE, tags, digest });
    const parts = [of(DIGEST, 'a'), of(OTHER, 'b'), of(DIGEST, 'c', 'a')];
    assert.deepEqual(gather('push', parts, NOTHING), {
      kind: 'push',
      action: 'push',
      pushes: [of(DIGEST, 'a', 'c'), of(OTHER, 'b')],
    });
  });

  test('takes 100 images and 100 tags of each at most', () => {
    const parts = Array.from({ length: 30_000 }, (_, number) => ({
      image: { ...IMAGE, repository: `acme/i${number % 150}` },
      tags: [`t${number}`],
    }));
    const reading = gather('push', parts, NOTHING);
    assert.ok(reading.kind === 'push');
    assert.equal(reading.pushes.length, 100);
    for (const { tags } of reading.pushes) assert.equal(tags.length, 100);
  });

  test('a push counts among any number of parts that are none', () => {
    const reading = gather('push', [NOTHING, { image: IMAGE, tags: ['a'] }, NOTHING], NOTHING);
    assert.equal(reading.kind, 'push');
  });

  test('without a push says why the nearest is none', () => {
    const reasons: UnreadableReason[] = [
      'action-not-handled',
      'media-type-not-image',
      'attached-artifact',
      'untagged-child',
      'image-unreadable',
      'registry-not-set',
    ];
    for (let length = 1; length <= reasons.length; length++) {
      const parts = reasons.slice(0, length).map((reason) => ignore(reason, ''));
      for (const order of [parts, parts.toReversed()])
        assert.deepEqual(gather('push', order, NOTHING), parts.at(-1));
    }
  });

  test('without any part says what it was told to', () =>
    assert.equal(gather('push', [], NOTHING), NOTHING));
});
