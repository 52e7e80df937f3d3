import { type DeliveryVerdict, decideVerdict, ignore, type UnitFacts } from './delivery-verdict.ts';
import { allowsImage, allowsRepository } from './image-pattern.ts';
import {
  parseImageReference,
  repositoryOf,
  sameRepository,
  tagOf,
  withTag,
} from './image-reference.ts';
import type { HookReading, Push } from './sources/source.ts';
import type { StoredHook } from './stored-hook.ts';

/** What a delivery means for one unit. */
export type UnitVerdict = {
  /** Empty: it concerns none. */
  readonly unit: string;
  readonly verdict: DeliveryVerdict;
  /** Which of the pushes that it tells of this is about. */
  readonly push?: Push;
};

/** What a delivery of a hook means: at least one verdict, and no unit twice. */
export type HookVerdicts = {
  readonly verdicts: readonly [UnitVerdict, ...UnitVerdict[]];
  /** What was done at the sender, and what was pushed there as far as the hook allows it; absent where it tells of no push. */
  readonly push?: { readonly action: string; readonly pushes: readonly Push[] };
  /** What memory says may be old, so that whoever can should look again: the delivery leads to nothing for no other reason. */
  readonly isDoubtful: boolean;
};

const MAX_NAMED = 3;

/**
 * Decides what a delivery means for each unit that its hook may report for; `units` are those. Units that run something else are
 * left out, for a registry tells of all that it holds; those that the hook names itself and that may not be deployed are not.
 */
export function decideHookVerdicts(
  reading: HookReading,
  hook: StoredHook,
  units: readonly UnitFacts[],
): HookVerdicts {
  if (reading.kind === 'ping') return only({ verdict: 'ping' });
  if (reading.kind === 'ignored') return only(ignore(reading.reason, reading.detail));
  const named = reading.kind === 'push' ? reading.pushes : imageOf(hook);
  if (named.length === 0) return only(ignore('hook-without-image', `The hook is ${hook.name}.`));
  const { action } = reading;
  const pushes = named.filter(
    ({ image }) =>
      hook.images.length === 0 || hook.images.some((one) => allowsRepository(one, image)),
  );
  if (pushes.length === 0) return only(ignore('hook-image-not-allowed', sayPushed(named)));
  const push = { action, pushes };
  const found = units.flatMap((unit) => decideForUnit(push, hook, unit) ?? []);
  const [first, ...rest] = found;
  if (first) return { verdicts: [first, ...rest], push, isDoubtful: false };
  const nothing = ignore('hook-without-unit', sayPushed(pushes));
  const [about] = pushes;
  return {
    verdicts: [{ unit: '', verdict: nothing, ...(about && { push: about }) }],
    push,
    isDoubtful: true,
  };
}

function only(verdict: DeliveryVerdict): HookVerdicts {
  return { verdicts: [{ unit: '', verdict }], isDoubtful: false };
}

/** What the hook is set up for, as if it had been pushed. */
function imageOf({ image }: StoredHook): readonly Push[] {
  const parsed = image === null ? undefined : parseImageReference(image);
  if (!parsed) return [];
  const { registry, repository } = parsed;
  return [{ image: { registry, repository }, tags: [tagOf(parsed)] }];
}

function sayPushed(pushes: readonly Push[]): string {
  const names = [...new Set(pushes.map(({ image }) => repositoryOf(image)))];
  const more = names.length > MAX_NAMED ? ' and more' : '';
  return `Pushed was ${names.slice(0, MAX_NAMED).join(', ')}${more}.`;
}

type Reported = NonNullable<HookVerdicts['push']>;

function decideForUnit(
  { action, pushes }: Reported,
  hook: StoredHook,
  unit: UnitFacts,
): UnitVerdict | undefined {
  const isNamed = hook.units.length > 0;
  if (unit.state !== 'known') {
    // Of which image it runs nothing is known: only its own hook can mean it, unless that may be found out yet.
    if (unit.state !== 'not-looked-up' && !isNamed) return undefined;
    const verdict = decideVerdict({ kind: 'push', action, pushes }, unit);
    return told(hook, { unit: unit.name, verdict: withPushed(verdict, pushes) });
  }
  const { image } = unit;
  const own = pushes.filter((push) => sameRepository(push.image, image));
  const [push] = own;
  if (!push) return undefined;
  if (hook.images.length > 0 && !hook.images.some((one) => allowsImage(one, image))) {
    const detail = `${unit.name} runs ${withTag(image)}.`;
    return { unit: unit.name, verdict: ignore('hook-image-not-allowed', detail), push };
  }
  const verdict = decideVerdict({ kind: 'push', action, pushes: own }, unit);
  if (!(unit.admission.allowed || isNamed)) return undefined;
  const about = own.find(({ tags }) => tags.includes(tagOf(image))) ?? push;
  return told(hook, { unit: unit.name, verdict, push: about });
}

/** The task of a unit whose image nobody knows yet looks whether it runs what was pushed. */
function withPushed(verdict: DeliveryVerdict, pushes: readonly Push[]): DeliveryVerdict {
  const [push, ...others] = pushes;
  if (verdict.verdict !== 'accepted' || !push || others.length > 0) return verdict;
  const [tag] = push.tags;
  return { ...verdict, image: withTag({ ...push.image, ...(tag !== undefined && { tag }) }) };
}

function told(hook: StoredHook, one: UnitVerdict): UnitVerdict {
  const { verdict, unit } = one;
  if (verdict.verdict !== 'accepted' || hook.action === 'deploy') return one;
  return { ...one, verdict: ignore('hook-only-checks', `The unit is ${unit}.`) };
}
