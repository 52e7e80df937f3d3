import { at, field, quote, shorten, text } from './json-fields.ts';
import { gather, ignore, parseQualified, toPush } from './pushed-images.ts';
import type { HeaderLookup, HookReading, Source, SourceOptions } from './source.ts';

const DOMAINS: ReadonlySet<string> = new Set(['docker', 'oci']);

/**
 * JFrog Artifactory: the event "Docker tag was pushed". It names no host, and by `sha256` the manifest as a file; that is the digest,
 * without the name of the algorithm. It has neither time nor a name of itself, so two pushes may have the same bytes.
 */
export const JFROG: Source = {
  kind: 'jfrog',
  title: 'JFrog Artifactory',
  schemes: ['hmac-sha256', 'shared-token', 'path-secret'],
  signatureHeaders: [
    { name: 'x-jfrog-event-auth', scheme: 'hmac-sha256', prefix: '' },
    { name: 'x-jfrog-event-auth', scheme: 'shared-token', prefix: '' },
  ],
  isSigned: true,
  registry: 'required',
  readDeliveryId: () => undefined,
  readEvent: (_headers, payload) =>
    shorten([field(payload, 'domain'), field(payload, 'event_type')].map(text).join(' ').trim()),
  read,
};

function read(_headers: HeaderLookup, payload: unknown, { registry }: SourceOptions): HookReading {
  const domain = text(field(payload, 'domain'));
  if (!DOMAINS.has(domain)) return ignore('event-not-handled', `The domain is ${quote(domain)}.`);
  const action = text(field(payload, 'event_type'));
  if (action !== 'pushed') return ignore('action-not-handled', `The action is ${quote(action)}.`);
  const name = text(at(payload, 'data', 'image_name'));
  if (registry === undefined) return ignore('registry-not-set', `The image is ${quote(name)}.`);
  const file = text(at(payload, 'data', 'name'));
  if (file !== '' && !file.endsWith('manifest.json'))
    return ignore('media-type-not-image', `The file is ${quote(file)}.`);
  const image = parseQualified(`${registry}/${name}`);
  const unreadable = ignore('image-unreadable', `The image is ${quote(name)}.`);
  if (!image) return unreadable;
  const digest = file === '' ? undefined : `sha256:${text(at(payload, 'data', 'sha256'))}`;
  return gather(action, [toPush(image, [at(payload, 'data', 'tag')], digest)], unreadable);
}
