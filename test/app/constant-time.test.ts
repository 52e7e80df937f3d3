import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { before, describe, test } from 'node:test';
import { ADMIN_ACCESS } from '../../app/domain/access.ts';
import { SOURCES } from '../../app/domain/sources/sources.ts';
import type { createAdminGate } from '../../app/http/admin-gate.ts';
import { texts } from '../shared/source-imports.ts';

const BODY = Buffer.from('{"action":"published"}');
const SECRET = 'one of two live secrets';
const TOKEN = 'admin-token-of-the-test';
const SIGNATURE = crypto.createHmac('sha256', SECRET).update(BODY).digest();

/** What the kernel of the comparison was given, call by call. */
let compared: (readonly [number, number])[] = [];
let verify: typeof import('../../app/intake/github-signature.ts').verifyGithubSignature;
let openGate: typeof createAdminGate;
let open: typeof import('../../app/hooks/authenticate.ts').authenticate;

before(async () => {
  const { timingSafeEqual } = crypto;
  crypto.timingSafeEqual = (a, b) => {
    compared.push([a.byteLength, b.byteLength]);
    return timingSafeEqual(a, b);
  };
  // Before the modules under test take it by its name.
  syncBuiltinESMExports();
  ({ verifyGithubSignature: verify } = await import('../../app/intake/github-signature.ts'));
  ({ authenticate: open } = await import('../../app/hooks/authenticate.ts'));
  ({ createAdminGate: openGate } = await import('../../app/http/admin-gate.ts'));
});

function compareFor(act: () => boolean): readonly (readonly [number, number])[] {
  compared = [];
  assert.equal(act(), false);
  return compared;
}

/** A delivery with a signature and a secret of which so much is right. */
function sendWrong(secret: string, right: number) {
  const given = Buffer.from(SIGNATURE);
  given[right] = (given[right] ?? 0) ^ 0xff;
  const wrong = `${secret.slice(0, right)}!`;
  const headers: Readonly<Record<string, string>> = {
    'x-hub-signature-256': `sha256=${given.toString('hex')}`,
    authorization: `Bearer ${wrong}`,
  };
  return { headers: (name: string) => headers[name], pathSecret: wrong, signed: BODY };
}

describe('however much of a credential is right, the same is compared in full, in constant time', () => {
  for (const [title, secrets, times] of [
    ['a signature with one live secret', [SECRET], 1],
    ['a signature with two live secrets', [SECRET, 'the other'], 2],
    ['a signature where the second secret is nearly right', ['the other', SECRET], 2],
  ] as const) {
    test(title, () => {
      for (let right = 0; right < SIGNATURE.length; right++) {
        const given = Buffer.from(SIGNATURE);
        given[right] = (given[right] ?? 0) ^ 0xff;
        const header = `sha256=${given.toString('hex')}`;
        const seen = compareFor(() => verify(secrets, BODY, header) === 'valid');
        assert.deepEqual(seen, Array(times).fill([32, 32]), `${right} bytes right`);
      }
    });
  }

  test('every secret is compared after one has fitted', () => {
    compared = [];
    assert.equal(verify([SECRET, 'other'], BODY, `sha256=${SIGNATURE.toString('hex')}`), 'valid');
    assert.equal(compared.length, 2);
  });

  const text = 'puh_secret-of-the-test';
  const digest = crypto.createHash('sha256').update(text).digest();
  // With a signature each of two slots has one comparison more.
  for (const [scheme, kind, secret, times] of [
    ['hmac-sha256', 'github', { id: 'sec_1', hmacKey: Buffer.from(SECRET) }, 4],
    ['authorization', 'distribution', { id: 'sec_1', digest }, 2],
    ['path-secret', 'distribution', { id: 'sec_1', digest }, 2],
  ] as const) {
    test(`what opens a hook of the scheme ${scheme}, and what would open one that there is not`, () => {
      const lock = { scheme, sender: SOURCES[kind], secrets: [secret] };
      for (let right = 0; right < text.length; right++) {
        const sent = sendWrong(text, right);
        const seen = compareFor(() => 'secret' in open(lock, sent));
        assert.deepEqual(seen, Array(times).fill([32, 32]), `${right} right`);
        const unknown = compareFor(() => 'secret' in open(undefined, sent));
        assert.deepEqual(unknown, Array(2).fill([32, 32]));
      }
    });
  }

  test('a token, of whatever length', () => {
    const tokens = [{ name: 'PODUP_TOKEN', secret: TOKEN, access: ADMIN_ACCESS }];
    const gate = openGate({ tokens });
    for (let right = 0; right < TOKEN.length; right++) {
      for (const rest of ['!', '!'.repeat(TOKEN.length - right), '!'.repeat(500)]) {
        const authorization = `Bearer ${TOKEN.slice(0, right)}${rest}`;
        const request = { raw: { headers: { authorization }, socket: {} } } as never;
        const seen = compareFor(() => gate(request).ok);
        assert.deepEqual(seen, [[32, 32]], `${right} characters right`);
      }
    }
  });
});

/** Makes what a table is asked by: a wrong cookie comes to another text altogether, of which nothing can be learned. */
const LOOKED_UP = 'app/access/secrets.ts';

test('whatever computes a signature compares it in constant time', () => {
  for (const [file, source] of texts) {
    if (!/\bcreateHmac\(/.test(source) || file === LOOKED_UP) continue;
    assert.match(source, /\btimingSafeEqual\(/, file);
  }
});
