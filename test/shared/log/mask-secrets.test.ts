import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { maskSecrets } from '../../../shared/log/mask-secrets.ts';

const SECRET = 'It\'s a "Secret" to\\Everybody ÿ?>';

describe('maskSecrets', () => {
  const ROWS = [
    ['as it is', SECRET],
    ['JSON-escaped', JSON.stringify(SECRET)],
    ['JSON-escaped twice', JSON.stringify(JSON.stringify(SECRET))],
    ['URL-encoded', encodeURIComponent(SECRET)],
    ['encoded as a form', encodeURIComponent(SECRET).replaceAll('%20', '+')],
    ['in Base64', Buffer.from(SECRET).toString('base64')],
    ['in Base64 for URLs', Buffer.from(SECRET).toString('base64url')],
    ['in Base64 after one character', Buffer.from(`:${SECRET}`).toString('base64')],
    ['in Base64 after two characters', Buffer.from(`a:${SECRET}`).toString('base64')],
    ['in Base64 after three characters', Buffer.from(`ab:${SECRET}x`).toString('base64url')],
  ] as const;
  for (const [title, text] of ROWS) {
    test(`a secret is found ${title}`, () => {
      const masked = maskSecrets(['another one', SECRET])(`before ${text} after`);
      assert.match(masked, /^before .{0,5}\[redacted\].{0,5} after$/);
      assert.doesNotMatch(masked, /Secret|Everybody/);
    });
  }

  test('every occurrence is replaced', () => {
    assert.equal(maskSecrets(['hunter22'])('hunter22hunter22'), '[redacted][redacted]');
  });

  test('a secret that begins with another one is replaced whole', () => {
    assert.equal(maskSecrets(['abcd', 'abcdefgh'])('abcdefgh'), '[redacted]');
  });

  test('without secrets, or with too short ones, a text stays as it is', () => {
    assert.equal(maskSecrets([])('a text'), 'a text');
    assert.equal(maskSecrets(['', 'a', 'tex'])('a text'), 'a text');
  });

  test('no secret survives, whatever its characters are', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, unit: 'binary' }), fc.string(), (secret, other) => {
        fc.pre(!'[redacted]'.includes(secret));
        const line = JSON.stringify({ msg: other + secret, again: secret });
        const masked = maskSecrets([secret])(line);
        assert.ok(!masked.includes(JSON.stringify(secret).slice(1, -1)));
      }),
    );
  });

  test('a lone half of a surrogate pair is no reason to fail', () => {
    assert.equal(maskSecrets(['abcd\ud800'])('x abcd\ud800 y'), 'x [redacted] y');
  });
});

test('hides what has the form of a token that this program makes, and nothing that only begins like it', () => {
  const mask = maskSecrets([]);
  const token = `podup_${'aB3_-'.repeat(8)}xyz`;
  assert.equal(mask(`Bearer ${token}.`), 'Bearer [redacted].');
  assert.equal(mask('podup_session and podup_token'), 'podup_session and podup_token');
});
