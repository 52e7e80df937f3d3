import { createPublicKey, verify } from 'node:crypto';
import type { PublicKey } from '../../../shared/config/setting-values.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { parseSignatures } from '../../domain/release-manifest.ts';

/**
 * Checks a signature file over exactly these bytes: one good Ed25519 signature by a key that is configured is enough.
 * The result is the id of that key.
 */
export function verifySignature(
  content: Buffer,
  signatureFile: Buffer,
  keys: readonly PublicKey[],
): Outcome<string> {
  const signatures = parseSignatures(signatureFile.toString('utf8'));
  if (!signatures) return fail('RELEASE_UNSIGNED', 'The signature file is not as it should be.');
  const claims = signatures.flatMap(({ keyId, signature }) => {
    const key = keys.find(({ id }) => id === keyId);
    return key ? [{ key, signature }] : [];
  });
  if (claims.length === 0) {
    const ids = signatures.map(({ keyId }) => JSON.stringify(keyId)).join(', ');
    return fail('RELEASE_UNSIGNED', `It is signed by ${ids || 'nobody'}, whom nobody knows here.`);
  }
  const good = claims.find(({ key, signature }) => isGood(content, key, signature));
  if (good) return succeed(good.key.id);
  const ids = claims.map(({ key }) => key.id).join(', ');
  return fail('RELEASE_UNSIGNED', `The signature of ${ids} is not over this manifest.`);
}

function isGood(content: Buffer, { base64 }: PublicKey, signature: string): boolean {
  const x = Buffer.from(base64, 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, content, key, Buffer.from(signature, 'base64'));
}
