import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { redactKeys } from '../../../shared/log/redact-keys.ts';

describe('redactKeys', () => {
  const KEYS = [
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'token',
    'access_token',
    'adminToken',
    'secret',
    'webhookSecret',
    'password',
    'signature',
    'x-hub-signature',
    'X-Hub-Signature-256',
  ];
  for (const key of KEYS) {
    test(`the value of ${key} is hidden at any depth`, () => {
      const line = JSON.stringify({ a: 1, [key]: 'v"\\', b: [{ c: { d: { [key]: 'w' } } }], e: 2 });
      assert.deepEqual(JSON.parse(redactKeys(line)), {
        a: 1,
        [key]: '[redacted]',
        b: [{ c: { d: { [key]: '[redacted]' } } }],
        e: 2,
      });
    });
  }

  const VALUES = [
    'text',
    '',
    'a "b" {',
    12,
    -1.5e3,
    true,
    null,
    [],
    ['a=b', 'c]d'],
    {},
    { x: { y: [1, '}'] } },
  ];
  for (const value of VALUES) {
    test(`${JSON.stringify(value)} is hidden whole`, () => {
      const line = JSON.stringify({ first: 1, token: value, last: [value] });
      const expected = { first: 1, token: '[redacted]', last: [value] };
      assert.deepEqual(JSON.parse(redactKeys(line)), expected);
    });
  }

  test('a secret key within a secret value is hidden with it', () => {
    const line = JSON.stringify({ token: { secret: 'inner', more: 1 }, last: 2 });
    assert.equal(redactKeys(line), '{"token":"[redacted]","last":2}');
  });

  test('words that only look like such a key stay', () => {
    const line = JSON.stringify({
      tokens: 3,
      msg: 'the "token": "x" of "secret":',
      cookies: 'two',
    });
    assert.equal(redactKeys(line), line);
  });

  test('a line that was cut short is hidden to its end', () => {
    assert.equal(redactKeys('{"token":["a","b'), '{"token":"[redacted]"');
  });

  test('any line of JSON stays one and keeps everything else', () => {
    fc.assert(
      fc.property(fc.json(), fc.jsonValue(), (before, value) => {
        const line = JSON.stringify({ before, secret: value, after: before });
        assert.deepEqual(JSON.parse(redactKeys(line)), {
          before,
          secret: '[redacted]',
          after: before,
        });
      }),
    );
  });
});
