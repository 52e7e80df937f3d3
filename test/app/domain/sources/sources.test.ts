import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SOURCES } from '../../../../app/domain/sources/sources.ts';

const HEADER_SCHEMES = ['hmac-sha256', 'shared-token'] as const;

for (const [kind, source] of Object.entries(SOURCES))
  describe(`the source ${kind}`, () => {
    test('stands under its own kind', () => assert.equal(source.kind, kind));

    test('is signed unless the path is all it has', () =>
      assert.equal(source.isSigned, source.schemes[0] !== 'path-secret'));

    test('has a header for each scheme that needs one, and for no other', () => {
      const needed = HEADER_SCHEMES.filter((scheme) => source.schemes.includes(scheme));
      const given = new Set(source.signatureHeaders.map(({ scheme }) => scheme));
      assert.deepEqual([...given].sort(), needed);
      for (const { name } of source.signatureHeaders) assert.equal(name, name.toLowerCase());
    });

    test('names no scheme twice', () =>
      assert.equal(new Set(source.schemes).size, source.schemes.length));
  });
