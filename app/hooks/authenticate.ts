import { Buffer } from 'node:buffer';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { HeaderLookup, Scheme } from '../domain/sources/source.ts';
import { type HookRefusal, MAX_SECRETS } from '../domain/stored-hook.ts';
import type { OpenHook } from './hook-book.ts';
import { digestOf, type LiveSecret } from './hook-secrets.ts';

/** What a delivery brings along to open a hook. */
export type Credentials = {
  readonly headers: HeaderLookup;
  /** The last part of the path, where there is one. */
  readonly pathSecret: string | undefined;
  /** The bytes that are signed, as they came. */
  readonly signed: Buffer;
};

/** The secret that fitted, or why none did. */
export type Authentication =
  | { readonly secret: string }
  | { readonly refused: Extract<HookRefusal, 'secret-missing' | 'secret-wrong'> };

type Lock = Pick<OpenHook, 'scheme' | 'sender' | 'secrets'>;
/** What was sent: signatures over the bytes, or a secret; nothing of both where there was none. */
type Given = { readonly signatures: readonly Buffer[]; readonly token: string | undefined };

const SHA256_BYTES = 32;
/** Keys that no secret is: what stands in for one that is not there, so that the work is always the same. */
const NO_KEYS = Array.from({ length: MAX_SECRETS }, () => randomBytes(SHA256_BYTES));
const NO_DIGEST = randomBytes(SHA256_BYTES);
/** Standard Webhooks lets a sender sign with several keys at once. */
const MAX_SIGNATURES = 10;

/**
 * Holds a delivery against every live secret of a hook. Without a hook (`undefined`) as much is done, so that the time says neither
 * whether there is one, nor which secret fits, nor how much of one.
 */
export function authenticate(lock: Lock | undefined, sent: Credentials): Authentication {
  const given = lock ? findGiven(lock, sent) : NOTHING;
  const tokenDigest = digestOf(given.token ?? '');
  const content = signedContent(lock?.scheme, sent);
  let fitting: string | undefined;
  for (let slot = 0; slot < MAX_SECRETS; slot++) {
    const secret = lock?.secrets[slot];
    const fits = holds(secret, slot, { given, tokenDigest, content });
    if (fits && secret && fitting === undefined) fitting = secret.id;
  }
  if (fitting !== undefined) return { secret: fitting };
  const isMissing = given.token === undefined && given.signatures.length === 0;
  return { refused: isMissing ? 'secret-missing' : 'secret-wrong' };
}

const NOTHING: Given = { signatures: [], token: undefined };

type Held = {
  readonly given: Given;
  readonly tokenDigest: Buffer;
  readonly content: readonly (string | Buffer)[];
};

/** Does the work of both kinds of secret whichever this one is. */
function holds(secret: LiveSecret | undefined, slot: number, held: Held): boolean {
  const { given, tokenDigest, content } = held;
  const key = secret && 'hmacKey' in secret ? secret.hmacKey : undefined;
  const mac = createHmac('sha256', key ?? NO_KEYS[slot] ?? NO_DIGEST);
  for (const part of content) mac.update(part);
  const expected = mac.digest();
  let isSigned = false;
  for (const signature of given.signatures)
    isSigned = timingSafeEqual(expected, signature) || isSigned;
  const digest = secret && 'digest' in secret ? secret.digest : undefined;
  const isToken = timingSafeEqual(sized(digest), tokenDigest);
  return (
    (key !== undefined && isSigned) ||
    (digest !== undefined && given.token !== undefined && isToken)
  );
}

/** What is stored may be anything; two of different lengths cannot be compared. */
function sized(digest: Buffer | undefined): Buffer {
  return digest?.length === SHA256_BYTES ? digest : NO_DIGEST;
}

/** https://www.standardwebhooks.com signs the id and the time with the body. */
function signedContent(scheme: Scheme | undefined, { headers, signed }: Credentials) {
  if (scheme !== 'standard-webhooks') return [signed];
  return [`${headers('webhook-id') ?? ''}.${headers('webhook-timestamp') ?? ''}.`, signed];
}

function findGiven(lock: Lock, { headers, pathSecret }: Credentials): Given {
  switch (lock.scheme) {
    case 'path-secret':
      return { ...NOTHING, token: pathSecret };
    case 'authorization':
      return { ...NOTHING, token: readAuthorization(headers('authorization')) };
    case 'shared-token':
      return { ...NOTHING, token: readSigned(lock, headers) };
    case 'hmac-sha256':
      return { ...NOTHING, signatures: toSignature(readSigned(lock, headers), 'hex') };
    case 'standard-webhooks':
      return { ...NOTHING, signatures: readStandard(headers) };
  }
}

/** The first header of the sender's scheme that was sent, without what stands before the digits or the token. */
function readSigned({ sender, scheme }: Lock, headers: HeaderLookup): string | undefined {
  for (const header of sender.signatureHeaders) {
    const value = header.scheme === scheme ? headers(header.name) : undefined;
    if (value === undefined || value === '') continue;
    return value.startsWith(header.prefix) ? value.slice(header.prefix.length) : '';
  }
  return undefined;
}

/** One that cannot be a signature fits nothing, and is not missing either. */
function toSignature(text: string | undefined, encoding: 'hex' | 'base64'): readonly Buffer[] {
  if (text === undefined) return [];
  const form = encoding === 'hex' ? /^[0-9a-f]{64}$/i : /^[A-Za-z0-9+/]{43}=?$/;
  return [form.test(text) ? Buffer.from(text, encoding) : randomBytes(SHA256_BYTES)];
}

/** `v1,BASE64`, several of them separated by spaces; those of other versions are for others. */
function readStandard(headers: HeaderLookup): readonly Buffer[] {
  const value = headers('webhook-signature');
  const isWhole = headers('webhook-id') && headers('webhook-timestamp') && value;
  if (!isWhole) return [];
  return value
    .split(' ')
    .filter((one) => one !== '')
    .slice(0, MAX_SIGNATURES)
    .flatMap((one) => toSignature(one.startsWith('v1,') ? one.slice(3) : '', 'base64'));
}

/** The secret as senders are set up with it: as it is, as `Bearer SECRET`, or as the password of `Basic`. */
function readAuthorization(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  const [, word = '', rest = ''] = /^(Bearer|Basic) +(\S+) *$/i.exec(value) ?? [];
  if (word.toLowerCase() === 'bearer') return rest;
  if (word.toLowerCase() !== 'basic') return value.trim();
  const text = Buffer.from(rest, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}
