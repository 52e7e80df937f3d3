import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Trigger } from './unit-triggers.ts';

/** The units that a trigger may have deployed; see `KnownUnits`. */
export type UnitChoice = {
  choose(trigger: Trigger, name: string): Outcome<string>;
  list(trigger: Trigger): readonly string[];
};

/** What a person selects: all that may be deployed at once, which has to be said, or some by their names. */
export type UnitSelection = { readonly all: boolean; readonly units: readonly string[] };

/**
 * The units that are selected, each once, in the order in which they were named. SELECTION_EMPTY where none is, however
 * that came: an empty list never means all of them. UNIT_NOT_CONFIGURED where one of them is not known; then none is.
 */
export function selectUnits(
  known: UnitChoice,
  { all, units }: UnitSelection,
): Outcome<readonly string[]> {
  const chosen = new Set<string>(all ? known.list('batch') : []);
  for (const name of units) {
    const found = known.choose('person', name);
    if (!found.ok) return found;
    chosen.add(found.value);
  }
  if (chosen.size > 0) return succeed([...chosen]);
  return fail('SELECTION_EMPTY', all ? 'No unit is known.' : '');
}
