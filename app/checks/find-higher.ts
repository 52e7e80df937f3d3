import type { Outcome } from '../../shared/contract/outcome.ts';
import type { CheckedUnitFacts, HigherFacts } from '../db/update-checks.ts';
import { repositoryOf, tagOf, withTag } from '../domain/image-reference.ts';
import { type HigherTags, higherTags, mayHaveHigher } from '../domain/tag-version.ts';
import type { TagList } from '../registry/list-tags.ts';
import { askHosts } from './ask-hosts.ts';
import type { AskParts } from './ask-tags.ts';
import type { SeenUnit } from './see-units.ts';

/** What the units want to hear of, by their names; the failure where that cannot be read. */
export type HigherWishes = ReadonlyMap<string, Outcome<HigherTags>>;

/** Units whose tags are versions at all; of the others no wish need be read. */
export function hasVersion({ image, failure }: SeenUnit): boolean {
  return image !== undefined && failure === null && mayHaveHigher(tagOf(image), 'major');
}

/**
 * Finds the tags that are higher versions, for the units that want to hear of them: one list for each repository, none
 * where the former one is not older than `freshSince`.
 */
export async function findHigher(
  { client, limits, signal }: AskParts,
  units: readonly SeenUnit[],
  wishes: HigherWishes,
  former: ReadonlyMap<string, CheckedUnitFacts>,
  freshSince: number,
): Promise<ReadonlyMap<string, HigherFacts>> {
  const found = new Map<string, HigherFacts>();
  const waiting = new Map<string, Wanting[]>();
  for (const { unit, image } of units) {
    const wish = wishes.get(unit);
    if (!image || !wish) continue;
    const wanted = wish.ok ? wish.value : 'off';
    const before = former.get(unit);
    const nothing = { wanted, tags: [], isCut: false, failure: null, listedAt: Date.now() };
    if (!wish.ok) found.set(unit, { ...nothing, failure: wish.failure });
    else if (!mayHaveHigher(tagOf(image), wanted)) found.set(unit, nothing);
    else if (isFresh(before, withTag(image), wanted, freshSince)) found.set(unit, before.higher);
    else {
      const one = { unit, image, wanted };
      waiting.set(repositoryOf(image), [...(waiting.get(repositoryOf(image)) ?? []), one]);
    }
  }
  const questions = [...waiting.values()].flatMap((wanting) => {
    const [first] = wanting;
    if (!first) return [];
    return {
      host: client.hostOf(first.image) ?? first.image.registry,
      ask: async () => {
        const listed = await client.listTags(first.image);
        if (listed.ok) for (const one of wanting) found.set(one.unit, compare(one, listed.value));
        return listed;
      },
      onFailure: (failure: HigherFacts['failure']) => {
        for (const { unit, wanted } of wanting) {
          found.set(unit, { wanted, tags: [], isCut: false, failure, listedAt: Date.now() });
        }
      },
    };
  });
  await askHosts(questions, limits, signal);
  return found;
}

type Wanting = {
  readonly unit: string;
  readonly image: NonNullable<SeenUnit['image']>;
  readonly wanted: HigherTags;
};

function compare({ image, wanted }: Wanting, { tags, isCut }: TagList): HigherFacts {
  const higher = higherTags(tagOf(image), tags, wanted);
  return { wanted, tags: higher, isCut, failure: null, listedAt: Date.now() };
}

function isFresh(
  before: CheckedUnitFacts | undefined,
  image: string,
  wanted: HigherTags,
  since: number,
): before is CheckedUnitFacts & { higher: HigherFacts } {
  const higher = before?.higher;
  if (!higher || higher.failure || before.image !== image) return false;
  return higher.wanted === wanted && higher.listedAt >= since;
}
