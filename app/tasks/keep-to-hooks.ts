import { fail } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import type { DeployParts } from '../deploy/deploy-unit.ts';
import { type ImageReference, withTag } from '../domain/image-reference.ts';
import { mayReport } from '../domain/may-report.ts';

type LookUp = DeployParts['lookUp'];
type Hooks = Pick<Store, 'deliveries' | 'storedHooks'>;

/**
 * Holds what a unit runs against the hooks that wanted it deployed: a delivery is let in for a unit that could not be asked then
 * what it runs, and none of its hooks may report for what that turns out to be. UNIT_IMAGE_CHANGED then, and nothing is looked up.
 */
export function keepToHooks(
  store: Hooks,
  task: Pick<TaskRow, 'id' | 'unit' | 'trigger_caller'>,
  lookUp: LookUp,
): LookUp {
  if (!task.trigger_caller?.startsWith('hook:')) return lookUp;
  return (image, registries, cut) => {
    if (isForOne(store, task, image)) return lookUp(image, registries, cut);
    const detail = `It runs ${withTag(image)}, for which no hook that wanted it may report.`;
    return Promise.resolve(fail('UNIT_IMAGE_CHANGED', detail));
  };
}

/** Who has wanted it without a hook, or by one that is gone since, was let in for this unit. */
function isForOne(
  { deliveries, storedHooks }: Hooks,
  { id, unit }: Pick<TaskRow, 'id' | 'unit'>,
  image: ImageReference,
): boolean {
  const names = deliveries.listHooks(id);
  return (
    names.length === 0 ||
    names.some((name) => {
      const hook = name === null ? undefined : storedHooks.find(name);
      return !hook || mayReport(hook, unit, image);
    })
  );
}
