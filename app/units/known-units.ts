import type { Settings } from '../../shared/config/settings.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseUnitName } from '../../shared/contract/unit-name.ts';
import type { DiscoveredRow } from '../db/discovered-units.ts';
import type { Store } from '../db/store.ts';
import { mergeMarks } from '../domain/found-unit.ts';
import {
  type Admission,
  admit,
  type KnownUnit,
  REFUSALS,
  type Trigger,
} from '../domain/unit-triggers.ts';

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

/** Whose units are meant, as what was found of them is stored: the units of another host are none of this one's. */
function hostKey({
  systemdScope,
  sshTarget,
}: Pick<Settings, 'systemdScope' | 'sshTarget'>): string {
  return `${systemdScope} ${sshTarget ?? 'localhost'}`;
}

/** Those that the settings and the store know. */
export function openKnownUnits(settings: Settings, store: Pick<Store, 'discovered'>): KnownUnits {
  const host = hostKey(settings);
  return createKnownUnits({
    listed: settings.units,
    autoDiscover: settings.autoDiscover,
    readFound: () => store.discovered.list(host),
  });
}

/** Keeps them in memory: who takes a webhook must not wait for a database, nor depend on one. */
export function createKnownUnits(parts: Parts): KnownUnits {
  const { listed, readFound } = parts;
  let known = new Map<string, KnownUnit>();

  const reload = () => {
    let rows: readonly DiscoveredRow[];
    try {
      rows = readFound();
    } catch {
      // Health says what is wrong with the database; those that are listed are known without it.
      if (known.size === 0) known = join(listed, []);
      return;
    }
    known = join(listed, rows);
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
  };
}

function join(listed: readonly string[], rows: readonly DiscoveredRow[]): Map<string, KnownUnit> {
  const found = Map.groupBy(rows, ({ unit }) => unit);
  const names = [...new Set([...listed, ...[...found.keys()].sort()])];
  return new Map(
    names.map((unit) => {
      const places = found.get(unit);
      const marks = places ? mergeMarks(places) : null;
      return [unit, { unit, isListed: listed.includes(unit), marks }];
    }),
  );
}
