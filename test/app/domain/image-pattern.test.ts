import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  allowsImage,
  allowsRepository,
  isImagePattern,
} from '../../../app/domain/image-pattern.ts';
import { type ImageReference, parseImageReference } from '../../../app/domain/image-reference.ts';

function image(text: string): ImageReference {
  const parsed = parseImageReference(text);
  assert.ok(parsed, text);
  return parsed;
}

describe('a pattern of images', () => {
  const GOOD = [
    ...['ghcr.io/acme/web', 'ghcr.io/acme/*', 'ghcr.io/**', 'docker.io/library/nginx'],
    ...['localhost:5000/web', 'registry.example:5000/a/b/c', 'ghcr.io/acme/web:v1.*', '*/acme/web'],
    ...['*.example.com/acme/web-*', 'ghcr.io/acme/**:main'],
  ];
  for (const pattern of GOOD) test(`is ${pattern}`, () => assert.ok(isImagePattern(pattern)));

  const BAD = [
    ...['', 'web', 'acme/web', '/acme', 'ghcr.io/', 'ghcr.io/a/**/b', 'ghcr.io/a**', 'GHCR.io/a/b'],
    ...['ghcr.io/a b', 'ghcr.io/a:b:c', 'ghcr.io/a/b@sha256:0', `ghcr.io/${'a'.repeat(300)}`],
    ...['**/web', 'ghcr.io/a/b:', 'https://ghcr.io/a/b'],
  ];
  for (const pattern of BAD) {
    test(`is not ${JSON.stringify(pattern.slice(0, 40))}`, () => {
      assert.equal(isImagePattern(pattern), false);
    });
  }

  const ROWS: readonly [pattern: string, image: string, allowed: boolean][] = [
    ['ghcr.io/acme/web', 'ghcr.io/acme/web:main', true],
    ['ghcr.io/acme/web', 'ghcr.io/acme/web2', false],
    ['ghcr.io/acme/web', 'ghcr.io/acme/web/sub', false],
    ['ghcr.io/acme/*', 'ghcr.io/acme/web', true],
    ['ghcr.io/acme/*', 'ghcr.io/acme/web/sub', false],
    ['ghcr.io/acme/*', 'evil.io/acme/web', false],
    ['ghcr.io/acme/**', 'ghcr.io/acme/web/sub', true],
    ['ghcr.io/acme/**', 'ghcr.io/acmes/web', false],
    ['ghcr.io/acme/**', 'ghcr.io/acme', false],
    ['ghcr.io/*/web', 'ghcr.io/acme/web', true],
    ['ghcr.io/acme/w*b-*', 'ghcr.io/acme/wb-1', true],
    ['ghcr.io/acme/w*b-*', 'ghcr.io/acme/web', false],
    ['*/acme/web', 'quay.io/acme/web', true],
    ['ghcr.io/acme/web:v1.*', 'ghcr.io/acme/web:v1.2', true],
    ['ghcr.io/acme/web:v1.*', 'ghcr.io/acme/web:v2.1', false],
    ['ghcr.io/acme/web:latest', 'ghcr.io/acme/web', true],
    ['localhost:5000/web', 'localhost:5000/web:main', true],
    ['localhost:5000/web', 'localhost:5001/web', false],
    ['docker.io/library/*', 'nginx', true],
  ];
  for (const [pattern, name, allowed] of ROWS) {
    test(`${pattern} ${allowed ? 'allows' : 'does not allow'} ${name}`, () => {
      assert.equal(allowsImage(pattern, image(name)), allowed);
    });
  }

  test('with a tag allows the repository whatever tag was pushed', () => {
    assert.ok(allowsRepository('ghcr.io/acme/web:v1', image('ghcr.io/acme/web:v2')));
  });

  test('that is the image itself allows it, and one more character does not', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,12}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), word, (parts, tag) => {
        const name = `ghcr.io/${parts.join('/')}`;
        assert.ok(allowsImage(`${name}:${tag}`, image(`${name}:${tag}`)));
        assert.equal(allowsImage(`${name}x:${tag}`, image(`${name}:${tag}`)), false);
      }),
    );
  });

  test('with many stars takes no time for a name that nearly fits', () => {
    const pattern = `ghcr.io/acme/${'a*'.repeat(100)}b`;
    const started = performance.now();
    assert.equal(
      allowsRepository(pattern, { registry: 'ghcr.io', repository: `acme/${'a'.repeat(240)}` }),
      false,
    );
    assert.ok(performance.now() - started < 1_000);
  });
});
