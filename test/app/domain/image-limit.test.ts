import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bucketName, bucketOf } from '../../../app/domain/image-limit.ts';

describe('the bucket of an image', () => {
  for (const [image, bucket] of [
    ['ghcr.io/Octo-Org/Hello:Latest', 'ghcr.io_octo-org_hello_latest'],
    ['__x__', 'x'],
    ['///', 'default'],
    ['', 'default'],
    ['a.b_c-d', 'a.b_c-d'],
    ['ä', 'default'],
  ] as const) {
    test(`${image} is ${bucket}`, () => assert.equal(bucketName(image), bucket));
  }

  test('of a bucket is itself, whatever the image', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (image) => {
        const name = bucketName(image);
        assert.match(name, /^[a-z0-9._-]+$/);
        assert.equal(bucketName(name), name);
      }),
    );
  });
});

describe('what takes a place', () => {
  const task = { trigger_source: 'webhook', image: 'a:b', attempts: 0 };

  test('is what a delivery wants', () => {
    assert.equal(bucketOf(task), 'image:a_b');
  });

  test('is not what a person or the clock wants, what has begun, nor what nobody knows the image of', () => {
    assert.equal(bucketOf({ ...task, trigger_source: 'api' }), undefined);
    assert.equal(bucketOf({ ...task, attempts: 1 }), undefined);
    assert.equal(bucketOf({ ...task, image: null }), undefined);
  });
});
