import { isDigest, isTag, parseImageReference } from '../image-reference.ts';
import { field, quote, shorten, text } from './json-fields.ts';
import { gather, ignore, parseQualified, splitImageUrl, toPush } from './pushed-images.ts';
import type { HeaderLookup, HookReading, Source } from './source.ts';

/** Anything that can sign, such as a step of a build: `{"image", "tag"?, "digest"?}`, signed by Standard Webhooks. */
export const GENERIC: Source = {
  kind: 'generic',
  title: 'Generic',
  schemes: ['standard-webhooks'],
  signatureHeaders: [],
  isSigned: true,
  registry: 'unused',
  readDeliveryId: (headers) => shorten(headers('webhook-id') ?? '') || undefined,
  readEvent: () => 'push',
  read,
};

/** The image may have its tag and digest in its own name; what is said twice has to be the same. No tag: any of them. */
function read(_headers: HeaderLookup, payload: unknown): HookReading {
  const raw = text(field(payload, 'image'));
  const { name, rest } = splitImageUrl(raw);
  const image = parseQualified(name);
  const own = parseImageReference(`${name.toLowerCase()}${rest}`);
  const unreadable = ignore('image-unreadable', `The image is ${quote(raw)}.`);
  if (!image || !own) return unreadable;
  const tag = agree(own.tag, field(payload, 'tag'), isTag);
  if (tag === undefined) return ignore('image-unreadable', 'The tag is none, or said twice.');
  const digest = agree(own.digest, field(payload, 'digest'), isDigest);
  if (digest === undefined) return ignore('image-unreadable', 'The digest is none, or said twice.');
  const push =
    tag === ''
      ? { image, tags: [], ...(digest !== '' && { digest }) }
      : toPush(image, [tag], digest);
  return gather('push', [push], unreadable);
}

/** What is said in one of two places, or the same in both; empty where in none, undefined where it cannot be meant. */
function agree(
  own: string | undefined,
  said: unknown,
  isValid: (value: string) => boolean,
): string | undefined {
  if (said === undefined || said === '' || said === own) return own ?? '';
  return own === undefined && typeof said === 'string' && isValid(said) ? said : undefined;
}
