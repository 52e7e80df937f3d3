import type { Settings } from '../../shared/config/settings.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseUnitName } from '../../shared/contract/unit-name.ts';
import type { DiscoveredRow } from '../db/discovered-units.ts';
import type { Store } from '../db/store.ts';
import { findImageAmong, mergeMarks } from '../domain/found-unit.ts';
import { isTemplate, parseInstance } from '../domain/unit-template.ts';
import {
  type Admission,
  admit,
  type KnownUnit,
  REFUSALS,
  type Trigger,
} from '../domain/unit-triggers.ts';
import { hostKey } from './host-key.ts';

/** The units that this program may have to do with: those that are listed, and those that were found on the host. */
export type KnownUnits = {
  /** Whether a trigger may have a unit deployed; see `admit`. Asks nobody. */
  admit(trigger: Trigger, unit: string): Admission;
  /** The unit that somebody names (`web`, `web.service`), if the trigger may have it deployed; else UNIT_NOT_CONFIGURED. */
  choose(trigger: Trigger, name: string): Outcome<string>;
  /** Every unit that a trigger may have deployed: those that are listed first, in their order, then by name. */
  list(trigger: Trigger): readonly string[];
  find(unit: string): KnownUnit | undefined;
  /** All of them, in the same order. */
  all(): readonly KnownUnit[];
  /** Where a unit was found; for an instance of a template that has no file of its own that of the template. */
  placesOf(unit: string): readonly DiscoveredRow[];
  /** Reads again what was found; to be called after a sweep. What was known stays where the database cannot be read. */
  reload(): void;
};

type Parts = {
  /** PODUP_MANUAL_UNITS. */
  readonly listed: readonly string[];
  /** PODUP_AUTO_DISCOVER. */
  readonly autoDiscover: boolean;
  /** What was found, by unit; may throw. */
  readonly readFound: () => readonly DiscoveredRow[];
};

/** Those that the settings and the store know. */
export function openKnownUnits(settings: Settings, store: Pick<Store, 'discovered'>): KnownUnits {
  const host = hostKey(settings);
  return createKnownUnits({
    listed: settings.units,
    autoDiscover: settings.autoDiscover,
    readFound: () => store.discovered.list(host),
  });
}

type Known = KnownUnit & { readonly places: readonly DiscoveredRow[] };

/** Keeps them in memory: who takes a webhook must not wait for a database, nor depend on one. */
export function createKnownUnits(parts: Parts): KnownUnits {
  const { listed, readFound } = parts;
  let known = join(listed, []);

  const reload = () => {
    try {
      known = join(listed, readFound());
    } catch {
      // Health says what is wrong with the database; those that are listed are known without it.
    }
  };
  reload();

  return {
    reload,
    admit: (trigger, unit) => admit(trigger, known.get(unit), parts),
    choose(trigger, name) {
      const unit = parseUnitName(name);
      const admission = admit(trigger, unit === undefined ? undefined : known.get(unit), parts);
      if (unit !== undefined && admission.allowed) return succeed(unit);
      // That it is unknown is what the code says.
      const isKnown = !admission.allowed && admission.reason !== 'unknown';
      const why = isKnown ? ` ${REFUSALS[admission.reason]}` : '';
      return fail('UNIT_NOT_CONFIGURED', `${name.slice(0, 255)}.${why}`);
    },
    list: (trigger) =>
      [...known.values()]
        .filter((unit) => admit(trigger, unit, parts).allowed)
        .map(({ unit }) => unit),
    find: (unit) => known.get(unit),
    all: () => [...known.values()],
    placesOf: (unit) => known.get(unit)?.places ?? [],
  };
}

function join(
  listed: readonly string[],
  rows: readonly DiscoveredRow[],
): ReadonlyMap<string, Known> {
  const found = Map.groupBy(rows, ({ unit }) => unit);
  const isListed = new Set(listed);
  const others = [...found.keys()].filter((unit) => !(isListed.has(unit) || isTemplate(unit)));
  return new Map(
    [...isListed, ...others.sort()].map((unit) => {
      const places = joinPlaces(unit, found);
      const marks = places.length > 0 ? mergeMarks(places) : null;
      const image = findImageAmong(places);
      return [unit, { unit, isListed: isListed.has(unit), image, marks, places }];
    }),
  );
}

/** An instance may have no file but that of its template. */
function joinPlaces(
  unit: string,
  found: ReadonlyMap<string, readonly DiscoveredRow[]>,
): readonly DiscoveredRow[] {
  const own = found.get(unit) ?? [];
  const template = parseInstance(unit)?.template;
  if (template === undefined) return own;
  const sources = new Set(own.map(({ source }) => source));
  const others = (found.get(template) ?? []).filter(({ source }) => !sources.has(source));
  return [...others, ...own];
}
