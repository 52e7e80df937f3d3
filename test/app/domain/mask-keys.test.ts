import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { maskKeys } from '../../../app/domain/mask-keys.ts';

const HIDDEN: readonly (readonly [string, string])[] = [
  ['password=hunter2', 'password=[masked]'],
  ['SECRET_KEY=hunter2', 'SECRET_KEY=[masked]'],
  ['AWS_SECRET_ACCESS_KEY=hunter2', 'AWS_SECRET_ACCESS_KEY=[masked]'],
  ['pwd=hunter2', 'pwd=[masked]'],
  ['{"auth": "aHVudGVyMg=="}', '{"auth": [masked]}'],
  ['PASSWORD="hunter2 and no end', 'PASSWORD=[masked]'],
  ['DB_PASSWORD=hunter2 next', 'DB_PASSWORD=[masked] next'],
  ['passwd: hunter2', 'passwd: [masked]'],
  ['{"client_secret":"hun\\"ter2","id":1}', '{"client_secret":[masked],"id":1}'],
  ['{"auth.token": "hunter2"}', '{"auth.token": [masked]}'],
  ["api-key='hunter2 and more'", 'api-key=[masked]'],
  ['GET /x?token=hunter2&page=1', 'GET /x?token=[masked]&page=1'],
  ['Authorization: Bearer hunter2\nnext', 'Authorization: [masked]\nnext'],
  ['< Set-Cookie: id=hunter2; Secure', '< Set-Cookie: [masked]'],
  ['postgres://app:hunter2@db:5432/x', 'postgres://app:[masked]@db:5432/x'],
  ['https://user:hun:ter2@host/', 'https://user:[masked]@host/'],
];

const SHOWN = [
  'the password is wrong',
  'no token',
  'tokens=5',
  'Trying to pull registry.example:5000/app@sha256:00',
  'passwordless: yes',
  'https://host:8080/path',
  'secretary=Ann',
  'author: Ann',
  'podman run -e PASSWORD=[masked] web',
  'token=[redacted]',
];

describe('mask keys', () => {
  for (const [text, masked] of HIDDEN) {
    test(`${JSON.stringify(text)} becomes ${JSON.stringify(masked)}`, () =>
      assert.equal(maskKeys(text), masked));
  }
  for (const text of SHOWN) test(`${text} stays`, () => assert.equal(maskKeys(text), text));

  test('a long text without secrets costs one pass', () => {
    const text = `${'a.-_'.repeat(20_000)} ${'"'.repeat(20_000)} ${'token '.repeat(20_000)}`;
    assert.equal(maskKeys(text), text);
  });
});
