import { readCloudEvent } from './cloud-event.ts';
import { at, field, list, quote, shorten, text } from './json-fields.ts';
import {
  gather,
  hostOf,
  type Ignored,
  ignore,
  parseQualified,
  splitImageUrl,
  toPush,
} from './pushed-images.ts';
import type { HeaderLookup, HookReading, Push, Source, SourceOptions } from './source.ts';

const PUSHED: ReadonlySet<string> = new Set([
  'PUSH_ARTIFACT',
  'pushImage',
  'harbor.artifact.pushed',
]);

/**
 * Harbor, in its own form and as CloudEvents (goharbor/harbor `src/pkg/notifier/formats`). It names one tag of an artifact only,
 * and its digest in place of a tag where it has none.
 */
export const HARBOR: Source = {
  kind: 'harbor',
  title: 'Harbor',
  schemes: ['authorization', 'path-secret'],
  signatureHeaders: [],
  isSigned: true,
  registry: 'optional',
  readDeliveryId,
  readEvent,
  read,
};

function readDeliveryId(
  headers: HeaderLookup,
  payload: unknown,
  bodySha256: string,
): string | undefined {
  const cloud = readCloudEvent(headers, payload);
  if (cloud) return shorten(cloud.id) || undefined;
  return field(payload, 'occur_at') === undefined ? undefined : `sha256:${bodySha256}`;
}

function readEvent(headers: HeaderLookup, payload: unknown): string {
  return shorten(readCloudEvent(headers, payload)?.type ?? text(field(payload, 'type')));
}

function read(headers: HeaderLookup, payload: unknown, { registry }: SourceOptions): HookReading {
  const cloud = readCloudEvent(headers, payload);
  const event = cloud?.type ?? text(field(payload, 'type'));
  if (!PUSHED.has(event)) return ignore('event-not-handled', `The event is ${quote(event)}.`);
  const data = cloud ? cloud.data : field(payload, 'event_data');
  const path = text(at(data, 'repository', 'repo_full_name'));
  const parts = list(field(data, 'resources')).map((node) => readResource(registry, path, node));
  return gather('push', parts, ignore('image-unreadable', `The repository is ${quote(path)}.`));
}

function readResource(registry: string | undefined, path: string, node: unknown): Push | Ignored {
  const url = text(field(node, 'resource_url'));
  const { name } = splitImageUrl(url);
  const host = hostOf(url);
  const below = path === '' ? name.slice(name.indexOf('/') + 1) : path;
  const image = parseQualified(`${registry ?? host}/${below}`);
  if (!image) return ignore('image-unreadable', `The artifact is ${quote(url)}.`);
  return toPush(image, [field(node, 'tag')], field(node, 'digest'));
}
