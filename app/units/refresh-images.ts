import { parseQualifiedReference, withTag } from '../domain/image-reference.ts';
import type { UnitCatalog } from '../host/unit-catalog.ts';
import type { KnownUnits } from './known-units.ts';

/**
 * Asks systemd again for the units that webhooks may deploy and that run, as far as their files tell, something else than is known
 * of them: by that hooks find the units of an image.
 */
export async function refreshImages(
  known: Pick<KnownUnits, 'list' | 'find'>,
  catalog: Pick<UnitCatalog, 'facts' | 'refreshAll'>,
): Promise<void> {
  const stale = known.list('webhook').filter((unit) => {
    const facts = catalog.facts(unit);
    if (facts.state !== 'known') return true;
    const named = parseQualifiedReference(known.find(unit)?.image ?? '');
    return named !== undefined && withTag(named) !== withTag(facts.image);
  });
  await catalog.refreshAll(stale);
}
