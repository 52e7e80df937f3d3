import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the signature of a delivery came to. */
export type SignatureCheck = 'valid' | 'missing' | 'invalid';

const HEADER = /^sha256=([0-9a-fA-F]{64})$/;

/**
 * Checks `X-Hub-Signature-256` (HMAC-SHA256 over the bytes as received) against every live secret. Each secret is
 * computed and compared in constant time whatever the others came to, so that the time says nothing about which one
 * fits. An empty secret fits nothing, for anybody could sign with it.
 */
export function verifyGithubSignature(
  secrets: readonly string[],
  body: Buffer,
  header: string | undefined,
): SignatureCheck {
  if (header === undefined || header === '') return 'missing';
  const hex = HEADER.exec(header)?.[1];
  if (hex === undefined) return 'invalid';
  const given = Buffer.from(hex, 'hex');
  let fits = false;
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret).update(body).digest();
    const equal = timingSafeEqual(expected, given);
    fits = (equal && secret !== '') || fits;
  }
  return fits ? 'valid' : 'invalid';
}
