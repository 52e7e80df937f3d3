import { at, field, quote, text } from './json-fields.ts';
import { gather, ignore, parseQualified, toPush } from './pushed-images.ts';
import type { HeaderLookup, HookReading, Source } from './source.ts';

/** Docker Hub: no signature, no digest, no headers of its own (docker/docs `docker-hub/repos/manage/webhooks.md`). */
export const DOCKER_HUB: Source = {
  kind: 'docker-hub',
  title: 'Docker Hub',
  schemes: ['path-secret'],
  signatureHeaders: [],
  isSigned: false,
  registry: 'unused',
  readDeliveryId: (_headers, payload, bodySha256) =>
    at(payload, 'push_data', 'pushed_at') === undefined ? undefined : `sha256:${bodySha256}`,
  readEvent: (_headers, payload) => (field(payload, 'push_data') === undefined ? '' : 'push'),
  read,
};

function read(_headers: HeaderLookup, payload: unknown): HookReading {
  const push = field(payload, 'push_data');
  if (push === undefined) return ignore('event-not-handled', 'The body has no push_data.');
  const name = text(at(payload, 'repository', 'repo_name'));
  const image = parseQualified(`docker.io/${name.replace(/^docker\.io\//i, '')}`);
  const unreadable = ignore('image-unreadable', `The repository is ${quote(name)}.`);
  if (!image) return unreadable;
  return gather('push', [toPush(image, [field(push, 'tag')])], unreadable);
}
