import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  type SignatureCheck,
  verifyGithubSignature,
} from '../../../app/intake/github-signature.ts';

// The example of GitHub's own documentation, "Validating webhook deliveries".
const SECRET = "It's a Secret to Everybody";
const BODY = Buffer.from('Hello, World!');
const HEX = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
const GOOD = `sha256=${HEX}`;

function sign(secret: string, body: Buffer): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

describe('verifyGithubSignature', () => {
  type Row = readonly [
    title: string,
    readonly string[],
    Buffer,
    string | undefined,
    SignatureCheck,
  ];
  const ROWS: readonly Row[] = [
    ['the published example is valid', [SECRET], BODY, GOOD, 'valid'],
    ['upper-case hex is valid', [SECRET], BODY, `sha256=${HEX.toUpperCase()}`, 'valid'],
    ['the second of two secrets is valid', ['new', SECRET], BODY, GOOD, 'valid'],
    ['the first of two secrets is valid', [SECRET, 'new'], BODY, GOOD, 'valid'],
    [
      'a secret that is not ASCII is taken as UTF-8',
      ['pässwörd'],
      BODY,
      sign('pässwörd', BODY),
      'valid',
    ],
    [
      'bytes that are no UTF-8 are signed as they are',
      [SECRET],
      Buffer.from([0xff, 0, 0x80]),
      sign(SECRET, Buffer.from([0xff, 0, 0x80])),
      'valid',
    ],
    [
      'an empty body can be signed',
      [SECRET],
      Buffer.alloc(0),
      sign(SECRET, Buffer.alloc(0)),
      'valid',
    ],
    ['no header is missing', [SECRET], BODY, undefined, 'missing'],
    ['an empty header is missing', [SECRET], BODY, '', 'missing'],
    ['another secret is invalid', ['other'], BODY, GOOD, 'invalid'],
    ['a changed body is invalid', [SECRET], Buffer.from('Hello, World?'), GOOD, 'invalid'],
    [
      'a body with one more byte is invalid',
      [SECRET],
      Buffer.from('Hello, World!\n'),
      GOOD,
      'invalid',
    ],
    ['one changed digit is invalid', [SECRET], BODY, `sha256=${HEX.slice(0, -1)}8`, 'invalid'],
    ['bare hex is invalid', [SECRET], BODY, HEX, 'invalid'],
    [
      'the legacy sha1 is invalid',
      [SECRET],
      BODY,
      `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}`,
      'invalid',
    ],
    ['a prefix in upper case is invalid', [SECRET], BODY, `SHA256=${HEX}`, 'invalid'],
    ['63 digits are invalid', [SECRET], BODY, GOOD.slice(0, -1), 'invalid'],
    ['65 digits are invalid', [SECRET], BODY, `${GOOD}0`, 'invalid'],
    ['a space before is invalid', [SECRET], BODY, ` ${GOOD}`, 'invalid'],
    ['a line feed after is invalid', [SECRET], BODY, `${GOOD}\n`, 'invalid'],
    ['two signatures are invalid', [SECRET], BODY, `${GOOD}, ${GOOD}`, 'invalid'],
    ['a digit that is none is invalid', [SECRET], BODY, `sha256=${HEX.slice(0, -1)}g`, 'invalid'],
    ['no secret makes everything invalid', [], BODY, GOOD, 'invalid'],
    ['an empty secret signs nothing', [''], BODY, sign('', BODY), 'invalid'],
    [
      'an empty secret beside a good one signs nothing',
      [SECRET, ''],
      BODY,
      sign('', BODY),
      'invalid',
    ],
  ];
  for (const [title, secrets, body, header, expected] of ROWS)
    test(title, () => assert.equal(verifyGithubSignature(secrets, body, header), expected));
});
