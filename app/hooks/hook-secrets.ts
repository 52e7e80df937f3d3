import { createHash, randomBytes } from 'node:crypto';
import type { KeptSecret } from '../db/stored-hooks.ts';
import type { Scheme } from '../domain/sources/source.ts';
import { isSigning, type StoredHook } from '../domain/stored-hook.ts';
import { type HookKey, seal, unseal } from './hook-key.ts';

const SECRET_BYTES = 32;
const ID_BYTES = 8;
/** Of secrets of https://www.standardwebhooks.com: then base64. */
const STANDARD_PREFIX = 'whsec_';
/** Of all others, so that scanners and people know them where they should not be: then base64url, which any URL can hold. */
const PREFIX = 'puh_';

/** A new secret in plain text, as it is shown once: 256 random bits. */
export function makeSecret(scheme: Scheme): string {
  const bytes = randomBytes(SECRET_BYTES);
  return scheme === 'standard-webhooks'
    ? `${STANDARD_PREFIX}${bytes.toString('base64')}`
    : `${PREFIX}${bytes.toString('base64url')}`;
}

/** A new id of a secret: it says nothing of it. */
export function makeSecretId(): string {
  return `sec_${randomBytes(ID_BYTES).toString('hex')}`;
}

/** Who made a secret, and when. */
export type Making = {
  readonly id: string;
  readonly createdAt: number;
  readonly createdBy: string;
};

/** A secret as it is kept; `key` where the scheme is one that signs. */
export function keepSecret(hook: string, text: string, making: Making, key?: HookKey): KeptSecret {
  const facts = { ...making, lastUsedAt: null };
  if (!key) return { ...facts, digest: digestOf(text), sealed: null, keyId: null };
  const sealed = seal(key, text, contextOf(hook, making.id));
  return { ...facts, digest: null, sealed, keyId: key.id };
}

/** What a delivery is held against. */
export type LiveSecret =
  | { readonly id: string; readonly digest: Buffer }
  | { readonly id: string; readonly hmacKey: Buffer };

/** A kept secret as deliveries are held against it; undefined where this host cannot open it. */
export function openSecret(
  { name, scheme }: Pick<StoredHook, 'name' | 'scheme'>,
  secret: Pick<KeptSecret, 'id' | 'digest' | 'sealed' | 'keyId'>,
  key: HookKey | undefined,
): LiveSecret | undefined {
  const { id, digest, sealed, keyId } = secret;
  if (digest !== null) return isSigning(scheme) ? undefined : { id, digest };
  if (!key || sealed === null || key.id !== keyId) return undefined;
  const text = unseal(key, sealed, contextOf(name, id));
  if (text === undefined) return undefined;
  const isStandard = scheme === 'standard-webhooks';
  const hmacKey = isStandard
    ? Buffer.from(text.slice(STANDARD_PREFIX.length), 'base64')
    : Buffer.from(text, 'utf8');
  // Anybody could sign with nothing.
  return hmacKey.length === 0 ? undefined : { id, hmacKey };
}

/** By what a secret is known that is sent whole: of 256 random bits nothing can be guessed, so one round is enough. */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function contextOf(hook: string, id: string): string {
  return `${hook}\n${id}`;
}
