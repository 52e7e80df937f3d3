import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';

/** What every answer says to browsers, written out once more: the test does not believe the program's own table. */
const EXPECTED = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Nothing is let in but styles of one hash each. */
const STRICT =
  /^default-src 'none'; (?:style-src 'sha256-[\w+/]{43}='; )?base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/;

/** Holds an answer against what every answer has to say to browsers; `what` names it in the failure. */
export function isGuarded(headers: IncomingHttpHeaders, what: string): void {
  for (const [name, value] of Object.entries(EXPECTED)) {
    assert.equal(headers[name], value, `${what}: ${name}`);
  }
  const policy = headers['content-security-policy'] ?? '';
  assert.match(String(policy), STRICT, `${what}: content-security-policy`);
  const isPage = headers['content-type']?.startsWith('text/html') === true;
  assert.equal(policy.includes('style-src'), isPage, `${what}: ${policy}`);
}
