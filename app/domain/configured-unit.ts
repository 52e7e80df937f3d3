import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseUnitName } from '../../shared/contract/unit-name.ts';

/** The unit that a person names, if it is one of those that may be deployed; else UNIT_NOT_CONFIGURED. */
export function findConfigured(units: readonly string[], name: string): Outcome<string> {
  const unit = parseUnitName(name);
  if (unit !== undefined && units.includes(unit)) return succeed(unit);
  return fail('UNIT_NOT_CONFIGURED', `${name.slice(0, 255)}.`);
}
