import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ERRORS, isErrorCode } from '../../../shared/contract/error-codes.ts';
import type { ErrorMeaning } from '../../../shared/contract/error-meaning.ts';

const DOCS = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

describe('every code', () => {
  for (const [code, meaning] of Object.entries(ERRORS) as [string, ErrorMeaning][])
    test(`${code} has a name, a status, one sentence and one hint, and is documented`, () => {
      assert.match(code, /^[A-Z]+(?:_[A-Z]+)*$/);
      assert.ok(meaning.status >= 400 && meaning.status <= 599);
      assert.match(meaning.sentence, /^(?:[A-Z]|podman |systemd )[^.]*\.$/);
      assert.match(meaning.hint, /^[A-Z].*\.$/);
      assert.ok(DOCS.includes(code));
      assert.ok(isErrorCode(code));
    });
});

for (const other of ['', 'NOPE', 'not_found', 'toString', 'constructor', '__proto__'])
  test(`${other || 'an empty text'} is no code`, () => assert.equal(isErrorCode(other), false));
