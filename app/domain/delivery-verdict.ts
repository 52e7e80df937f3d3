import {
  formatImageReference,
  type ImageReference,
  repositoryOf,
  sameRepository,
  tagOf,
  withTag,
} from './image-reference.ts';
import type { ImageReading, Push } from './sources/source.ts';
import { UNREADABLE_REASONS } from './sources/unreadable-reasons.ts';
import { type Admission, REFUSALS, type RefusalReason } from './unit-triggers.ts';

/** Why a delivery with a good signature led to nothing: the closed list, one sentence each. */
export const IGNORED_REASONS = {
  ...UNREADABLE_REASONS,
  'unit-unknown': 'The unit is neither configured nor found on the host.',
  'unit-webhooks-off': 'The unit says itself that webhooks may not deploy it.',
  'unit-not-opted-in':
    'The unit was found on the host but is not configured, and does not count by itself: see PODUP_AUTO_DISCOVER.',
  'unit-not-found': 'systemd does not know the unit.',
  'unit-image-differs':
    'The unit runs an image of another repository than the one that was pushed.',
  'unit-image-pinned': 'The unit names its image by digest, so no push can change what it runs.',
  'unit-image-unknown': 'The image that the unit runs cannot be told from its start command.',
  'hook-image-not-allowed': 'No pattern of the hook allows the image.',
  'hook-without-image':
    'The sender names no image, and the hook is set up for none: see its image.',
  'hook-without-unit': 'None of the units of the hook runs an image of that repository.',
  'hook-only-checks': 'The hook has its units looked at for updates, and deploys nothing.',
} as const;

/** One of the closed list of reasons. */
export type IgnoredReason = keyof typeof IGNORED_REASONS;

/** What follows from a delivery with a good signature; each of them is answered with 2xx. */
export type DeliveryVerdict =
  | {
      readonly verdict: 'accepted';
      readonly unit: string;
      /** The unit's own image with its tag; absent while systemd cannot be asked, then the task finds it out. */
      readonly image?: string;
      /** `repository`: the payload does not name the unit's tag, which may have moved all the same. */
      readonly matched: 'tag' | 'repository';
      /** What the payload says that the unit's tag now means; only where that tag matched. */
      readonly digest?: string;
    }
  | { readonly verdict: 'ignored'; readonly reason: IgnoredReason; readonly detail: string }
  | { readonly verdict: 'ping' }
  | {
      readonly verdict: 'duplicate';
      /** The id of the delivery that this one repeats. */
      readonly of: string;
    };

/** What is known of the unit that a delivery was sent to. */
export type UnitFacts = {
  readonly name: string;
  /** Whether webhooks may deploy it. */
  readonly admission: Admission;
} & UnitImage;

/** What image a unit runs, as far as systemd has said it. */
export type UnitImage =
  | { readonly state: 'known'; readonly image: ImageReference }
  | { readonly state: 'unknown-to-systemd' | 'image-unknown' | 'not-looked-up' };

/** Decides what a delivery means for a unit. */
export function decideVerdict(reading: ImageReading, unit: UnitFacts): DeliveryVerdict {
  if (reading.kind === 'ping') return { verdict: 'ping' };
  if (!unit.admission.allowed) return refuse(unit.name, unit.admission.reason);
  if (reading.kind === 'ignored') return ignore(reading.reason, reading.detail);
  switch (unit.state) {
    case 'unknown-to-systemd':
      return ignore('unit-not-found', `The unit is ${unit.name}.`);
    case 'image-unknown':
      return ignore('unit-image-unknown', `The unit is ${unit.name}.`);
    case 'not-looked-up':
      // Refusing would lose the push, for GitHub does not send it again.
      return { verdict: 'accepted', unit: unit.name, matched: 'repository' };
    case 'known':
      return compareImages(reading.pushes, unit.name, unit.image);
  }
}

function refuse(unit: string, reason: RefusalReason): DeliveryVerdict {
  switch (reason) {
    case 'unknown':
      return ignore('unit-unknown', `The unit is ${unit}.`);
    case 'webhooks-off':
      return ignore('unit-webhooks-off', `The unit is ${unit}.`);
    case 'not-opted-in':
    case 'discovery-off':
      return ignore('unit-not-opted-in', `${unit}: ${REFUSALS[reason]}`);
  }
}

/** A verdict that leads to nothing, with its reason. */
export function ignore(reason: IgnoredReason, detail: string): DeliveryVerdict {
  return { verdict: 'ignored', reason, detail };
}

function compareImages(
  pushes: readonly Push[],
  unit: string,
  image: ImageReference,
): DeliveryVerdict {
  const own = pushes.filter((push) => sameRepository(push.image, image));
  if (own.length === 0) {
    const pushed = [...new Set(pushes.map((push) => repositoryOf(push.image)))];
    const detail = `${unit} runs ${repositoryOf(image)}, pushed was ${pushed.slice(0, 3).join(', ')}${pushed.length > 3 ? ' and more' : ''}.`;
    return ignore('unit-image-differs', detail);
  }
  if (image.digest !== undefined)
    return ignore('unit-image-pinned', `${unit} runs ${formatImageReference(image)}.`);
  const accepted = { verdict: 'accepted', unit, image: withTag(image) } as const;
  const tagged = own.filter((push) => push.tags.includes(tagOf(image)));
  if (tagged.length === 0) return { ...accepted, matched: 'repository' };
  // Events of one delivery come in any order: of several digests for one tag nobody knows the newest.
  const digest = tagged.length === 1 ? tagged[0]?.digest : undefined;
  return { ...accepted, matched: 'tag', ...(digest !== undefined && { digest }) };
}
