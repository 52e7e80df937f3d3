import type { Outcome } from '../../shared/contract/outcome.ts';
import type { UnitFacts } from '../domain/delivery-verdict.ts';
import type { UnitReading } from './read-unit.ts';

/** What is known of the configured units, kept in memory so that no webhook waits for a process. */
export type UnitCatalog = {
  /** At once, from memory; a unit that is not configured is never looked up. */
  facts(unit: string): UnitFacts;
  /** Asks systemd again; at most one question per unit at a time. */
  refresh(unit: string): Promise<UnitFacts>;
};

/** A catalogue of the units in `listed`; `read` asks systemd. */
export function createUnitCatalog(
  listed: readonly string[],
  read: (unit: string) => Promise<Outcome<UnitReading>>,
): UnitCatalog {
  const known = new Map<string, UnitFacts>();
  const underWay = new Map<string, Promise<UnitFacts>>();

  const facts = (unit: string): UnitFacts =>
    known.get(unit) ?? { name: unit, listed: listed.includes(unit), state: 'not-looked-up' };

  async function ask(unit: string): Promise<UnitFacts> {
    const reading = describe(unit, await read(unit));
    // What was known stays better than nothing while systemd does not answer.
    if (reading.state !== 'not-looked-up') known.set(unit, reading);
    return facts(unit);
  }

  return {
    facts,
    refresh: (unit) => {
      if (!listed.includes(unit)) return Promise.resolve(facts(unit));
      const asked = underWay.get(unit) ?? ask(unit).finally(() => underWay.delete(unit));
      underWay.set(unit, asked);
      return asked;
    },
  };
}

function describe(name: string, reading: Outcome<UnitReading>): UnitFacts {
  const listed = true;
  if (!reading.ok) {
    const missing = reading.failure.code === 'UNIT_NOT_FOUND';
    return { name, listed, state: missing ? 'unknown-to-systemd' : 'not-looked-up' };
  }
  const { image } = reading.value;
  return image ? { name, listed, state: 'known', image } : { name, listed, state: 'image-unknown' };
}
