import { at, field, quote, shorten, text } from './json-fields.ts';
import { gather, hostOf, ignore, parseQualified, toPush } from './pushed-images.ts';
import type { HeaderLookup, HookReading, Source, SourceOptions } from './source.ts';

/**
 * Gitea and Forgejo: the event `package` (go-gitea/gitea `modules/structs/hook.go`, `package.go`). Its version is the tag in lower
 * case, or the digest of a manifest without one; a tag that is pushed again is created again.
 */
export const GITEA: Source = {
  kind: 'gitea',
  title: 'Gitea, Forgejo',
  schemes: ['hmac-sha256', 'authorization'],
  signatureHeaders: [
    { name: 'x-forgejo-signature', scheme: 'hmac-sha256', prefix: '' },
    { name: 'x-gitea-signature', scheme: 'hmac-sha256', prefix: '' },
    { name: 'x-hub-signature-256', scheme: 'hmac-sha256', prefix: 'sha256=' },
    { name: 'x-gogs-signature', scheme: 'hmac-sha256', prefix: '' },
  ],
  isSigned: true,
  registry: 'optional',
  form: 'payload',
  readDeliveryId: (headers) =>
    firstHeader(headers, ['x-forgejo-delivery', 'x-gitea-delivery', 'x-gogs-delivery']),
  readEvent,
  read,
};

function firstHeader(headers: HeaderLookup, names: readonly string[]): string | undefined {
  return names.map((name) => shorten(headers(name) ?? '')).find((value) => value !== '');
}

function readEvent(headers: HeaderLookup): string {
  return firstHeader(headers, ['x-forgejo-event', 'x-gitea-event', 'x-gogs-event']) ?? '';
}

function read(headers: HeaderLookup, payload: unknown, { registry }: SourceOptions): HookReading {
  const event = readEvent(headers);
  if (event !== 'package') return ignore('event-not-handled', `The event is ${quote(event)}.`);
  const action = text(field(payload, 'action'));
  if (action !== 'created') return ignore('action-not-handled', `The action is ${quote(action)}.`);
  const node = field(payload, 'package');
  const type = text(field(node, 'type'));
  if (type !== 'container')
    return ignore('package-type-not-container', `The package type is ${quote(type)}.`);
  const host = registry ?? hostOf(text(field(node, 'html_url')));
  const owner = text(at(node, 'owner', 'login')) || text(at(node, 'owner', 'username'));
  const name = text(field(node, 'name'));
  const image = parseQualified(`${host}/${owner}/${name}`);
  const unreadable = ignore('image-unreadable', `The package is ${quote(`${owner}/${name}`)}.`);
  if (!image || owner === '') return unreadable;
  const version = text(field(node, 'version'));
  return gather(action, [toPush(image, [version], version)], unreadable);
}
