import type { Outcome } from '../../shared/contract/outcome.ts';
import type { UnitFacts, UnitImage } from '../domain/delivery-verdict.ts';
import { mapWithin } from '../domain/map-within.ts';
import type { Admission, Trigger } from '../domain/unit-triggers.ts';
import type { UnitReading } from './read-unit.ts';

/** What is known of the units that may be deployed, kept in memory so that no webhook waits for a process. */
export type UnitCatalog = {
  /** At once, from memory; a unit that nobody may deploy is never looked up. */
  facts(unit: string): UnitFacts;
  /** Asks systemd again; at most one question per unit at a time. */
  refresh(unit: string): Promise<UnitFacts>;
  /** The same for many, a few at a time. */
  refreshAll(units: readonly string[]): Promise<void>;
};

/** Where systemd cannot be asked over its socket each look at a unit is two processes. */
const UNITS_AT_ONCE = 8;

/** A catalogue of the units that `admit` lets somebody deploy; `read` asks systemd. */
export function createUnitCatalog(
  admit: (trigger: Trigger, unit: string) => Admission,
  read: (unit: string) => Promise<Outcome<UnitReading>>,
): UnitCatalog {
  const known = new Map<string, UnitImage>();
  const underWay = new Map<string, Promise<UnitFacts>>();

  const facts = (unit: string): UnitFacts => ({
    ...{ name: unit, admission: admit('webhook', unit) },
    ...(known.get(unit) ?? { state: 'not-looked-up' }),
  });

  async function ask(unit: string): Promise<UnitFacts> {
    const reading = describe(await read(unit));
    // What was known stays better than nothing while systemd does not answer.
    if (reading.state !== 'not-looked-up') known.set(unit, reading);
    return facts(unit);
  }

  function refresh(unit: string): Promise<UnitFacts> {
    if (!admit('person', unit).allowed) return Promise.resolve(facts(unit));
    const asked = underWay.get(unit) ?? ask(unit).finally(() => underWay.delete(unit));
    underWay.set(unit, asked);
    return asked;
  }

  return {
    ...{ facts, refresh },
    refreshAll: async (units) => void (await mapWithin(units, UNITS_AT_ONCE, refresh)),
  };
}

function describe(reading: Outcome<UnitReading>): UnitImage {
  if (!reading.ok) {
    const missing = reading.failure.code === 'UNIT_NOT_FOUND';
    return { state: missing ? 'unknown-to-systemd' : 'not-looked-up' };
  }
  const { image } = reading.value;
  return image ? { state: 'known', image } : { state: 'image-unknown' };
}
