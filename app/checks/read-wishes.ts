import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { mapWithin } from '../domain/map-within.ts';
import type { HigherTags } from '../domain/tag-version.ts';
import type { UnitPolicy } from '../domain/unit-policy.ts';
import type { Host } from '../host/host.ts';
import { listUnitFiles } from '../host/list-unit-files.ts';
import { readUnitPolicy } from '../host/read-unit-policy.ts';
import type { HigherWishes } from './find-higher.ts';

const AT_ONCE = 8;

/** Reads from the policies of units which higher tags they want to hear of; systemd is asked once for all their files. */
export async function readWishes(
  host: Pick<Host, 'run' | 'readText'>,
  defaults: UnitPolicy,
  units: readonly string[],
): Promise<HigherWishes> {
  const wishes = new Map<string, Outcome<HigherTags>>();
  if (units.length === 0) return wishes;
  const files = await listUnitFiles(host.run, units);
  if (!files.ok) return new Map(units.map((unit) => [unit, files]));
  await mapWithin(units, AT_ONCE, async (unit) => {
    const known = files.value.get(unit) ?? { fragmentPath: '', dropInPaths: [] };
    const policy = await readUnitPolicy(host, unit, defaults, known);
    wishes.set(unit, policy.ok ? succeed(policy.value.higherTags) : policy);
  });
  return wishes;
}
