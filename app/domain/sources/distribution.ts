import { readCloudEvent } from './cloud-event.ts';
import { at, field, quote, shorten, text } from './json-fields.ts';
import { gather, type Ignored, ignore, parseQualified, toPush } from './pushed-images.ts';
import type { HeaderLookup, HookReading, Push, Source, SourceOptions } from './source.ts';

/** The media types of manifests and of lists of them, of Docker and of OCI. */
const MANIFESTS: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
]);
const ZOT_UPDATED = 'zotregistry.image.updated';

/**
 * Notifications of the CNCF distribution, v2 and v3 (distribution `docs/content/about/notifications.md`), of the registry of a GitLab,
 * of Azure, which sends one event without the list around it, and the CloudEvents of zot (`pkg/extensions/events`).
 * The host in them is what the client that pushed has written into its request, so it is not looked at.
 */
export const DISTRIBUTION: Source = {
  kind: 'distribution',
  title: 'CNCF distribution, zot, Azure',
  schemes: ['authorization', 'path-secret'],
  signatureHeaders: [],
  isSigned: true,
  registry: 'required',
  readDeliveryId,
  readEvent,
  read: readDistribution,
};

/** All of them, for those of layers, of which there are many, stand among those of manifests. */
function eventsOf(payload: unknown): readonly unknown[] {
  const events = field(payload, 'events');
  if (events !== undefined) return Array.isArray(events) ? events : [];
  return field(payload, 'action') === undefined ? [] : [payload];
}

/** A batch is sent again as it was, and its events have names of their own, so that the same bytes are the same batch. */
function readDeliveryId(
  headers: HeaderLookup,
  payload: unknown,
  bodySha256: string,
): string | undefined {
  const cloud = readCloudEvent(headers, payload);
  if (cloud) return shorten(cloud.id) || undefined;
  const ids = eventsOf(payload).map((event) => shorten(text(field(event, 'id'))));
  if (ids.length === 1) return ids[0] || undefined;
  return ids.some((id) => id !== '') ? `sha256:${bodySha256}` : undefined;
}

function readEvent(headers: HeaderLookup, payload: unknown): string {
  const cloud = readCloudEvent(headers, payload);
  if (cloud) return shorten(cloud.type);
  const actions = new Set(eventsOf(payload).map((event) => text(field(event, 'action'))));
  return shorten([...actions].slice(0, 20).join(' '));
}

/** Reads notifications, of whichever source. */
export function readDistribution(
  headers: HeaderLookup,
  payload: unknown,
  { registry }: SourceOptions,
): HookReading {
  const cloud = readCloudEvent(headers, payload);
  if (cloud) {
    if (cloud.type !== ZOT_UPDATED)
      return ignore('event-not-handled', `The event is ${quote(cloud.type)}.`);
    const part = readTarget(registry, {
      repository: field(cloud.data, 'name'),
      tag: field(cloud.data, 'reference'),
      digest: field(cloud.data, 'digest'),
      mediaType: field(cloud.data, 'mediaType'),
    });
    return gather('push', [part], ignore('image-unreadable', ''));
  }
  if (field(payload, 'action') === 'ping') return { kind: 'ping' };
  const nothing = ignore('event-not-handled', 'The body has no events.');
  return gather('push', readEvents(registry, eventsOf(payload)), nothing);
}

function* readEvents(registry: string | undefined, events: readonly unknown[]) {
  for (const event of events) {
    const action = text(field(event, 'action'));
    if (action === 'push') yield readTarget(registry, targetOf(event));
    else yield ignore('action-not-handled', `The action is ${quote(action)}.`);
  }
}

type Target = Record<'repository' | 'tag' | 'digest' | 'mediaType', unknown>;

function targetOf(event: unknown): Target {
  const of = (name: string) => at(event, 'target', name);
  return {
    repository: of('repository'),
    tag: of('tag'),
    digest: of('digest'),
    mediaType: of('mediaType'),
  };
}

function readTarget(registry: string | undefined, target: Target): Push | Ignored {
  const mediaType = text(target.mediaType);
  if (!MANIFESTS.has(mediaType))
    return ignore('media-type-not-image', `The media type is ${quote(mediaType)}.`);
  const repository = text(target.repository);
  if (registry === undefined)
    return ignore('registry-not-set', `The repository is ${quote(repository)}.`);
  const image = parseQualified(`${registry}/${repository}`);
  if (!image) return ignore('image-unreadable', `The repository is ${quote(repository)}.`);
  return toPush(image, [target.tag], target.digest);
}
