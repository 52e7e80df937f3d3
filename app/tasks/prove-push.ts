import { fail } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import type { DeployEnd, DeployParts } from '../deploy/deploy-unit.ts';

type LookUp = DeployParts['lookUp'];

/**
 * Holds what a tag means against what was said to have been pushed, where only senders that can prove nothing have said so: a
 * digest that they name has to be at the registry, though the tag may mean a newer one by now. What is not there nobody has
 * pushed, and nothing is deployed for it.
 */
export function provePush(
  { deliveries }: Pick<Store, 'deliveries'>,
  { id }: Pick<TaskRow, 'id'>,
  lookUp: LookUp,
): LookUp {
  return async (image, registries, cut) => {
    const found = await lookUp(image, registries, cut);
    const said = deliveries.listUnproven(id);
    if (!found.ok || said.length === 0 || said.includes(found.value.digest)) return found;
    const { registry, repository } = image;
    let refusal = '';
    // One lie does not make the others untrue.
    for (const digest of said) {
      const proof = await lookUp({ registry, repository, digest }, registries, cut);
      if (proof.ok) return found;
      if (proof.failure.code !== 'REGISTRY_IMAGE_NOT_FOUND') return proof;
      refusal = proof.failure.detail;
    }
    return fail('PUSH_NOT_PROVEN', `It was said to be ${said.join(', ')}. ${refusal}`);
  };
}

/**
 * A hook may report for many units, of which some could not be asked then what they run: that one of them runs something else
 * is no failure of it.
 */
export function endOfHook(
  { trigger_caller: caller, unit }: Pick<TaskRow, 'trigger_caller' | 'unit'>,
  end: DeployEnd,
): DeployEnd {
  const isOther = end.status === 'failed' && end.failure.code === 'UNIT_IMAGE_CHANGED';
  if (!isOther || !caller?.startsWith('hook:')) return end;
  return {
    status: 'skipped',
    summary: `${unit} does not run what was pushed. ${end.failure.detail}`,
  };
}
