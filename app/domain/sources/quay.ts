import { field, list, quote, text } from './json-fields.ts';
import { gather, ignore, parseQualified, splitImageUrl, toPush } from './pushed-images.ts';
import type { HeaderLookup, HookReading, Source, SourceOptions } from './source.ts';

/**
 * Quay: the notification of a push to a repository (quay `notifications/notificationevent.py`). It names every tag that was pushed, but
 * neither time, digest nor itself, so two pushes of one tag have the same bytes.
 */
export const QUAY: Source = {
  kind: 'quay',
  title: 'Quay',
  schemes: ['path-secret'],
  signatureHeaders: [],
  isSigned: false,
  registry: 'optional',
  readDeliveryId: () => undefined,
  readEvent: (_headers, payload) => (field(payload, 'updated_tags') === undefined ? '' : 'push'),
  read,
};

function read(_headers: HeaderLookup, payload: unknown, { registry }: SourceOptions): HookReading {
  if (field(payload, 'updated_tags') === undefined)
    return ignore('event-not-handled', 'The body has no updated_tags.');
  const url = text(field(payload, 'docker_url'));
  const path = text(field(payload, 'repository'));
  const image = parseQualified(
    registry === undefined ? splitImageUrl(url).name : `${registry}/${path}`,
  );
  const unreadable = ignore('image-unreadable', `The repository is ${quote(url || path)}.`);
  if (!image) return unreadable;
  return gather('push', [toPush(image, list(field(payload, 'updated_tags')))], unreadable);
}
