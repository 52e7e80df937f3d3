/**
 * What has a unit deployed. `webhook`: a signed delivery for it. `person`: somebody who names it, over the API or on the
 * command line. `batch`: somebody who wants all of them at once. `schedule`: the clock.
 */
export type Trigger = 'webhook' | 'person' | 'batch' | 'schedule';

/** How a unit says for itself that it is to be deployed; a key that is missing says nothing. */
export type UnitMarks = {
  /** `AutoUpdate=registry`, or the label of podman that comes of it. */
  readonly isAutoUpdated: boolean;
  /** It has a section `[X-PodUp]`: somebody has written down how it is to be deployed. */
  readonly hasPolicy: boolean;
  /** `WebhookEnabled=` of that section, or `X-Webhook-Enabled=` of another one; null where neither is there. */
  readonly webhookEnabled: boolean | null;
};

/** A unit that may be deployed at all. The service manager has many more, which are none of this program's business. */
export type KnownUnit = {
  readonly unit: string;
  /** It is one of `PODUP_MANUAL_UNITS`. */
  readonly isListed: boolean;
  /** The image that its files name, or its container; null where that cannot be told. */
  readonly image: string | null;
  /** What it says for itself; null where it was not found on the host. */
  readonly marks: UnitMarks | null;
};

/** Why a unit may not be deployed by a trigger: the closed list, one sentence each. */
export const REFUSALS = {
  unknown: 'The unit is neither in PODUP_MANUAL_UNITS nor found as a container of the host.',
  'webhooks-off': 'The unit says that webhooks may not deploy it.',
  'not-opted-in':
    'The unit was found on the host, but neither AutoUpdate=registry nor a mark in its file asks for it.',
  'discovery-off':
    'The unit asks for it, but units that were found count with PODUP_AUTO_DISCOVER=1 only.',
} as const;

/** One of the closed list. */
export type RefusalReason = keyof typeof REFUSALS;

/** Whether a trigger may have a unit deployed, and why. */
export type Admission =
  | { readonly allowed: true; readonly because: 'listed' | 'named' | 'opted-in' }
  | { readonly allowed: false; readonly reason: RefusalReason };

/**
 * Who may be deployed by which trigger. This is the one place that decides it, for every caller:
 *
 * | unit                                          | person | batch | webhook              | schedule             |
 * | --------------------------------------------- | ------ | ----- | -------------------- | -------------------- |
 * | listed                                        | yes    | yes   | yes                  | yes                  |
 * | found, asks for webhooks or AutoUpdate        | yes    | yes   | with `autoDiscover`  | with `autoDiscover`  |
 * | found, has a policy, but asks for neither     | yes    | yes   | no                   | no                   |
 * | found, says nothing                           | yes    | no    | no                   | no                   |
 * | any of them that turns webhooks off           |        |       | no                   |                      |
 * | every other unit of the service manager       | no     | no    | no                   | no                   |
 */
export function admit(
  trigger: Trigger,
  unit: KnownUnit | undefined,
  { autoDiscover }: { readonly autoDiscover: boolean },
): Admission {
  if (!unit || !(unit.isListed || unit.marks)) return refuse('unknown');
  const { isListed, marks } = unit;
  if (trigger === 'webhook' && marks?.webhookEnabled === false) return refuse('webhooks-off');
  if (isListed) return { allowed: true, because: 'listed' };
  if (trigger === 'person') return { allowed: true, because: 'named' };
  if (!marks || !isOptedIn(trigger, marks)) return refuse('not-opted-in');
  if (trigger !== 'batch' && !autoDiscover) return refuse('discovery-off');
  return { allowed: true, because: 'opted-in' };
}

function isOptedIn(trigger: Trigger, marks: UnitMarks): boolean {
  const { isAutoUpdated, hasPolicy, webhookEnabled } = marks;
  return isAutoUpdated || webhookEnabled === true || (trigger === 'batch' && hasPolicy);
}

function refuse(reason: RefusalReason): Admission {
  return { allowed: false, reason };
}
