import type { UnitFacts } from '../domain/delivery-verdict.ts';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { UnitReading } from './read-unit.ts';

/** What is known of the configured units, kept in memory so that no webhook waits for a process. */
export type UnitCatalog = {
  /** At once, from memory; a unit that is not configured is never looked up. */
  facts(unit: string): UnitFacts;
  /** Asks systemd again unless that was done less than a second ago; at most one question per unit at a time. */
  refresh(unit: string): Promise<UnitFacts>;
};

type Known = { readonly facts: UnitFacts; readonly readAt: number };

const FRESH_MS = 1_000;

/** A catalogue of the units in `listed`; `read` asks systemd, `now` is a monotonic clock in milliseconds. */
export function createUnitCatalog(
  listed: readonly string[],
  read: (unit: string) => Promise<Outcome<UnitReading>>,
  now: () => number,
): UnitCatalog {
  const known = new Map<string, Known>();
  const underWay = new Map<string, Promise<UnitFacts>>();

  const facts = (unit: string): UnitFacts =>
    known.get(unit)?.facts ?? { name: unit, listed: listed.includes(unit), state: 'not-looked-up' };

  async function ask(unit: string): Promise<UnitFacts> {
    const reading = describe(unit, await read(unit));
    // What was known stays better than nothing while systemd does not answer.
    const entry = reading.state === 'not-looked-up' ? facts(unit) : reading;
    known.set(unit, { facts: entry, readAt: now() });
    return entry;
  }

  return {
    facts,
    refresh: (unit) => {
      const entry = known.get(unit);
      if (!listed.includes(unit) || (entry && now() - entry.readAt < FRESH_MS)) {
        return Promise.resolve(facts(unit));
      }
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
