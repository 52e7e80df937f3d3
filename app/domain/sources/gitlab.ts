import { DISTRIBUTION, readDistribution } from './distribution.ts';
import { at, field, quote, shorten, text } from './json-fields.ts';
import { ignore } from './pushed-images.ts';
import type { HeaderLookup, HookReading, Source, SourceOptions } from './source.ts';

/**
 * GitLab: pipeline and job events, which name no image, and what the registry of a self-managed one posts, which does
 * (`registry['notifications']` of gitlab.rb). No event of a project tells of a push to its registry.
 */
export const GITLAB: Source = {
  kind: 'gitlab',
  title: 'GitLab',
  schemes: ['standard-webhooks', 'shared-token', 'authorization'],
  signatureHeaders: [{ name: 'x-gitlab-token', scheme: 'shared-token', prefix: '' }],
  isSigned: true,
  registry: 'optional',
  readDeliveryId,
  readEvent,
  read,
};

function isNotification(payload: unknown): boolean {
  return field(payload, 'object_kind') === undefined && Array.isArray(field(payload, 'events'));
}

/** `Idempotency-Key` (17.4) stays the same when a delivery is repeated; what came before it is another each time. */
function readDeliveryId(
  headers: HeaderLookup,
  payload: unknown,
  bodySha256: string,
): string | undefined {
  if (isNotification(payload)) return DISTRIBUTION.readDeliveryId(headers, payload, bodySha256);
  const id = headers('idempotency-key') ?? headers('webhook-id');
  return shorten(id ?? '') || `sha256:${bodySha256}`;
}

function readEvent(headers: HeaderLookup, payload: unknown): string {
  if (isNotification(payload)) return DISTRIBUTION.readEvent(headers, payload);
  return shorten(headers('x-gitlab-event') ?? text(field(payload, 'object_kind')));
}

function read(headers: HeaderLookup, payload: unknown, options: SourceOptions): HookReading {
  if (isNotification(payload)) return readDistribution(headers, payload, options);
  const kind = text(field(payload, 'object_kind'));
  switch (kind) {
    case 'pipeline':
      return judge('pipeline', text(at(payload, 'object_attributes', 'status')));
    case 'build':
      return judge('job', text(field(payload, 'build_status')));
    default:
      return ignore('event-not-handled', `The event is ${quote(kind)}.`);
  }
}

function judge(action: string, status: string): HookReading {
  if (status === 'success') return { kind: 'success-without-image', action };
  return ignore('not-successful', `The status of the ${action} is ${quote(status)}.`);
}
