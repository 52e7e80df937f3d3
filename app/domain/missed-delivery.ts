/** What is to be known of a unit whose tag was looked up because a push may have gone by without a delivery for it. */
export type TagSituation = {
  /** `registry/repository:tag`. */
  readonly image: string;
  /** What it means now. */
  readonly digest: string;
  /** The unit runs that. */
  readonly isCurrent: boolean;
  /** What the tag meant when that was last taken for granted; undefined where it never was. */
  readonly known: { readonly image: string; readonly digest: string } | undefined;
  /** A task of the unit waits or runs: it looks the tag up itself. */
  readonly isOpen: boolean;
  /** That image has failed for it, and is held back. */
  readonly isQuarantined: boolean;
  /** A delivery or a task was about that digest since the tag was last seen to mean another one. */
  readonly isNamed: boolean;
  /** The unit asks to run what its tag means, whoever says so (`AutoUpdate=registry`). */
  readonly followsTag: boolean;
};

/** Why it is looked up: by the clock, or since another tag of its repository was pushed. */
export type LookUpCause = 'sweep' | 'push';

/**
 * What is done about it. `current`: it runs what its tag means. `first-sight`: nobody knows since when the tag means that, so it
 * is what later pushes are told from. `unchanged`: the tag means what it meant then. `named`: somebody has been told of it.
 */
export type TagDecision =
  | 'deploy'
  | 'current'
  | 'first-sight'
  | 'unchanged'
  | 'named'
  | 'open'
  | 'quarantined';

/**
 * Decides what a tag that was looked up means for a unit. A tag that was never seen before is deployed only where the unit asks
 * for whatever its tag means, or a push of its repository was just told of: what was pushed before anybody listened is no
 * missed delivery.
 */
export function decideTag(tag: TagSituation, cause: LookUpCause): TagDecision {
  if (tag.isCurrent) return 'current';
  if (tag.isOpen) return 'open';
  if (tag.isQuarantined) return 'quarantined';
  const { known } = tag;
  if (known?.image !== tag.image) {
    return cause === 'push' || tag.followsTag ? 'deploy' : 'first-sight';
  }
  if (known.digest === tag.digest) return 'unchanged';
  return tag.isNamed ? 'named' : 'deploy';
}

/** Whether what the tag means now is what the next look is compared with: not while something may still come of the former. */
export function isSettled(decision: TagDecision): boolean {
  return decision !== 'open' && decision !== 'quarantined';
}
