import type { Settings } from '../../shared/config/settings.ts';
import type { UnitFacts } from '../domain/delivery-verdict.ts';
import { parseQualifiedReference } from '../domain/image-reference.ts';
import { admit } from '../domain/unit-triggers.ts';
import type { KeptUnits } from '../units/keep-for-standby.ts';

/** What is known of units where nobody can be asked: their names, and what they said when somebody looked. */
export type StandbyUnits = {
  /** What image it runs the task finds out. */
  facts(unit: string): UnitFacts;
  /** With the image that its files named: a hook tells of many that no unit of this host runs. */
  factsWithImage(unit: string): UnitFacts;
  /** All that webhooks may deploy. */
  list(): readonly string[];
};

/** Joins what was written down of units to the settings. */
export function createStandbyUnits(settings: Settings, { marks, images }: KeptUnits): StandbyUnits {
  const admission = (unit: string) => {
    const isListed = settings.units.includes(unit);
    return admit(
      'webhook',
      { unit, isListed, image: null, marks: marks.get(unit) ?? null },
      settings,
    );
  };
  const facts = (unit: string): UnitFacts => ({
    ...{ name: unit, admission: admission(unit), state: 'not-looked-up' },
  });
  return {
    facts,
    factsWithImage(unit) {
      const image = parseQualifiedReference(images.get(unit) ?? '');
      return image
        ? { name: unit, admission: admission(unit), state: 'known', image }
        : facts(unit);
    },
    list: () =>
      [...new Set([...settings.units, ...marks.keys()])].filter((unit) => admission(unit).allowed),
  };
}
