import type { UnitMarks } from '../../app/domain/unit-triggers.ts';
import { createKnownUnits, type KnownUnits } from '../../app/units/known-units.ts';

/** Units that are listed, and those that were found with what they say for themselves. */
export function listedUnits(
  listed: readonly string[],
  found: Readonly<Record<string, Partial<UnitMarks>>> = {},
  autoDiscover = false,
): KnownUnits {
  const rows = Object.entries(found).map(([unit, marks]) => ({
    ...({ unit, source: 'quadlet', path: `/q/${unit}`, image: null, fault: null } as const),
    ...{
      isAutoUpdated: false,
      hasPolicy: false,
      webhookEnabled: null,
      firstSeenAt: 1,
      lastSeenAt: 1,
    },
    ...marks,
  }));
  return createKnownUnits({ listed, autoDiscover, readFound: () => rows });
}
