import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { CreateHook, UpdateHook } from '../api/hook-requests.ts';
import { parseImageReference, withTag } from '../domain/image-reference.ts';
import { SOURCES } from '../domain/sources/sources.ts';
import type { StoredHook } from '../domain/stored-hook.ts';

/** A new hook as it was wished for. */
export function toHook(wish: CreateHook): Outcome<StoredHook> {
  const { name, source, images, units, networks, registry, image, action } = wish;
  const { schemes } = SOURCES[source];
  return checkHook({
    ...{ name, source, scheme: wish.scheme ?? schemes[0], action, images, networks, registry },
    ...{ image: tagged(image), units: [...new Set(units)], disabledAt: null },
    expiresAt: toMs(wish.expires_at),
  });
}

/** A hook with what is to be changed of it. */
export function toChanged<T extends StoredHook>(hook: T, wish: UpdateHook): Outcome<T> {
  const { images, units, networks, registry, image, action, expires_at: expiresAt } = wish;
  return checkHook({
    ...hook,
    action: action ?? hook.action,
    images: images ?? hook.images,
    units: units ? [...new Set(units)] : hook.units,
    networks: networks ?? hook.networks,
    registry: registry === undefined ? hook.registry : registry,
    image: image === undefined ? hook.image : tagged(image),
    expiresAt: expiresAt === undefined ? hook.expiresAt : toMs(expiresAt),
  });
}

function tagged(image: string | null): string | null {
  const parsed = image === null ? undefined : parseImageReference(image);
  return parsed ? withTag(parsed) : null;
}

function toMs(moment: string | null): number | null {
  return moment === null ? null : Date.parse(moment);
}

/** What of a hook does not go together. */
function checkHook<T extends StoredHook>(hook: T): Outcome<T> {
  const { source, scheme, registry, image } = hook;
  const sender = SOURCES[source];
  const refuse = (why: string) => fail('HOOK_INVALID', why);
  if (!sender.schemes.includes(scheme)) {
    return refuse(`${sender.title} cannot do ${scheme}, but ${sender.schemes.join(', ')}.`);
  }
  if (sender.registry === 'required' && registry === null) {
    return refuse(`${sender.title} does not say at which registry its images lie: name it.`);
  }
  if (sender.registry === 'unused' && registry !== null) {
    return refuse(`${sender.title} has one registry only: none is to be named.`);
  }
  if (image !== null && source !== 'gitlab') {
    return refuse(`${sender.title} names the image itself: none is to be set.`);
  }
  return succeed(hook);
}
