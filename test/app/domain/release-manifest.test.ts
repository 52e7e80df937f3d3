import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  checkManifest,
  parseManifest,
  parseSignatures,
  type ReleaseManifest,
  readChecksum,
} from '../../../app/domain/release-manifest.ts';
import type { Outcome } from '../../../shared/contract/outcome.ts';

const DIGEST = '0123456789abcdef'.repeat(4);
const manifest: ReleaseManifest = {
  v: 1,
  product: 'pod-upgrade-trigger',
  version: '1.2.3',
  commit: 'abc',
  platform: 'x86_64-unknown-linux-gnu',
  bytes: 10,
  sha256: DIGEST,
  generation: 5,
  schema: { min: 0, max: 3 },
  publishedAt: '2026-11-26T12:00:00Z',
};

const codeOf = (outcome: Outcome<unknown>) => (outcome.ok ? 'ok' : outcome.failure.code);
const detailOf = (outcome: Outcome<unknown>) => (outcome.ok ? '' : outcome.failure.detail);

describe('parseManifest', () => {
  test('a manifest is read; fields that nobody knows are passed over', () => {
    const read = parseManifest(JSON.stringify({ ...manifest, sbom: 'x' }));
    assert.deepEqual(read, { ok: true, value: manifest });
  });

  for (const [field, value] of [
    ['v', 2],
    ['version', 'v1.2.3'],
    ['version', '1.2'],
    ['bytes', 0],
    ['bytes', 1.5],
    ['sha256', DIGEST.toUpperCase()],
    ['sha256', DIGEST.slice(1)],
    ['generation', -1],
    ['generation', '5'],
    ['schema', { min: 0 }],
    ['product', undefined],
  ] as const) {
    test(`${field} ${JSON.stringify(value)} spoils it, and is named`, () => {
      const read = parseManifest(JSON.stringify({ ...manifest, [field]: value }));
      assert.equal(codeOf(read), 'RELEASE_SOURCE_INVALID');
      assert.match(detailOf(read), new RegExp(`: ${field}`));
    });
  }

  for (const text of ['', '[]', 'null', '{', '\ufeff{}']) {
    test(`${JSON.stringify(text)} is no manifest`, () => {
      assert.equal(codeOf(parseManifest(text)), 'RELEASE_SOURCE_INVALID');
    });
  }
});

describe('checkManifest', () => {
  const wanted = { platform: manifest.platform, version: '1.2.3' };
  for (const [title, change, code] of [
    ['what was asked for', {}, 'ok'],
    ['another product', { product: 'another' }, 'RELEASE_MISMATCH'],
    ['another version', { version: '1.2.4' }, 'RELEASE_MISMATCH'],
    ['another platform', { platform: 'aarch64-unknown-linux-gnu' }, 'RELEASE_INCOMPATIBLE'],
  ] as const) {
    test(`a manifest of ${title}: ${code}`, () => {
      assert.equal(codeOf(checkManifest({ ...manifest, ...change }, wanted)), code);
    });
  }

  test('any version will do for a tag that names none', () => {
    assert.equal(codeOf(checkManifest(manifest, { ...wanted, version: null })), 'ok');
  });
});

describe('parseSignatures', () => {
  const one = { keyId: 'a', signature: 'AAAA' };
  test('a signature file is read', () => {
    assert.deepEqual(parseSignatures(JSON.stringify({ v: 1, signatures: [one] })), [one]);
  });

  for (const value of [
    { v: 2, signatures: [one] },
    { v: 1 },
    { v: 1, signatures: [{ ...one, signature: 'not base64!' }] },
    { v: 1, signatures: new Array(21).fill(one) },
    [],
  ]) {
    test(`${JSON.stringify(value).slice(0, 60)} is none`, () => {
      assert.equal(parseSignatures(JSON.stringify(value)), undefined);
    });
  }
});

describe('readChecksum', () => {
  const other = 'f'.repeat(64);
  for (const [title, text, digest] of [
    ['as sha256sum writes it', `${DIGEST}  program\n`, DIGEST],
    ['of a binary file', `${DIGEST} *program\n`, DIGEST],
    ['with the folder before the name', `${DIGEST}  ./dist/program\n`, DIGEST],
    ['in capitals, with a carriage return', `${DIGEST.toUpperCase()}  program\r\n`, DIGEST],
    ['among others', `${other}  another\n${DIGEST}  program\n`, DIGEST],
    ['alone, without a name', `${DIGEST}\n`, DIGEST],
    ['of another file', `${DIGEST}  another\n`, undefined],
    ['without a name among others', `${DIGEST}\n${other}  another\n`, undefined],
    ['too short', `${DIGEST.slice(1)}  program\n`, undefined],
    ['empty', '', undefined],
    ['a page of HTML', '<html>program</html>', undefined],
  ] as const) {
    test(`a checksum file ${title}: ${digest === undefined ? 'nothing' : 'the digest'}`, () => {
      assert.equal(readChecksum(text, 'program'), digest);
    });
  }
});
