import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseTimeSpan } from '../../shared/contract/time-span.ts';
import { parseMaintenanceWindow } from './maintenance-window.ts';
import { HIGHER_TAGS, type HigherTags } from './tag-version.ts';
import { type Assignment, readSection } from './unit-file.ts';
import { parseProbe } from './unit-probe.ts';

/** How far a task goes: `observe` only tells what is new, `stage` also pulls it, `deploy` also restarts the unit. */
export type DeployMode = 'observe' | 'stage' | 'deploy';

/** How a unit is asked whether it serves. */
export type Probe =
  /** `http://` or `https://`, without user and password. */
  | { readonly kind: 'http'; readonly url: string }
  /** A name or an address, an IPv6 one without its brackets. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** An argument list, never a shell line; its first word is an absolute path. */
  | { readonly kind: 'exec'; readonly argv: readonly [string, ...string[]] };

/** When a unit may be deployed, in local time. It crosses midnight where the end is not after the start. */
export type MaintenanceWindow = {
  /** The days on which it starts, ascending; 0 is Sunday. */
  readonly weekdays: readonly number[];
  /** Minute of the day, 0 to 1439. */
  readonly startMinute: number;
  /** The first minute of the day after the window, 0 to 1440. */
  readonly endMinute: number;
};

/** How one unit is deployed. The key of the section `[X-PodUp]` stands at each field. */
export type UnitPolicy = {
  /** `Mode=` */
  readonly mode: DeployMode;
  /** `Soak=`: how long the unit has to serve before the image is proven, in milliseconds, 0 to 1 h. */
  readonly soakMs: number;
  /** `StartTimeout=`: from the restart until the unit is healthy and probed, in milliseconds, 1 s to 1 h. */
  readonly startTimeoutMs: number;
  /** `Probe=`; null: none. */
  readonly probe: Probe | null;
  /** `LogMust=`: source of a regular expression (flag u) that has to be found in the log; null: none. */
  readonly logMust: string | null;
  /** `LogMustNot=`: the same for what must not be found. */
  readonly logMustNot: string | null;
  /** `Rollback=`: whether a unit that fails gets its former image back. */
  readonly rollback: boolean;
  /** `MinAge=`: how old an image has to be, in milliseconds, 0 to 365 d. */
  readonly minAgeMs: number;
  /** `Window=`, may be repeated: when the unit may be restarted; empty: always. */
  readonly windows: readonly MaintenanceWindow[];
  /**
   * `QuarantineFor=`: how long an image that failed is left alone, in milliseconds, 1 s to 365 d; null (`infinity`):
   * until the digest changes or a person releases it.
   */
  readonly quarantineMs: number | null;
  /** `KeepImages=`: how many former images are kept, 1 to 20. */
  readonly keepImages: number;
  /** `WriteImage=`: whether a tag that a person chose is written into the Quadlet file once it is proven. */
  readonly writeImage: boolean;
  /** `WebhookEnabled=`: whether webhooks may deploy the unit; null: the section does not say. */
  readonly webhookEnabled: boolean | null;
  /** `HigherTags=`: which higher versions update checks tell of, where the tag is a version. */
  readonly higherTags: HigherTags;
};

/** The settings that units fall back to; `quarantineMs` is 0 for "until released". */
export type PolicySettings = {
  readonly deployMode: DeployMode;
  readonly deploySoakMs: number;
  readonly deployStartTimeoutMs: number;
  readonly deployRollback: boolean;
  readonly deployMinAgeMs: number;
  readonly deployKeepImages: number;
  readonly quarantineMs: number;
  readonly higherTags: HigherTags;
};

/** The policy of a unit that says nothing. */
export function policyDefaults(settings: PolicySettings): UnitPolicy {
  return {
    mode: settings.deployMode,
    soakMs: settings.deploySoakMs,
    startTimeoutMs: settings.deployStartTimeoutMs,
    probe: null,
    logMust: null,
    logMustNot: null,
    rollback: settings.deployRollback,
    minAgeMs: settings.deployMinAgeMs,
    windows: [],
    quarantineMs: settings.quarantineMs === 0 ? null : settings.quarantineMs,
    keepImages: settings.deployKeepImages,
    writeImage: false,
    webhookEnabled: null,
    higherTags: settings.higherTags,
  };
}

const SECTION = 'X-PodUp';
/** Characters of all texts together. */
const MAX_TEXT = 1_048_576;
const MAX_REGULAR_EXPRESSION = 500;
const MAX_FAULTS = 50;
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const YEAR = 365 * 24 * HOUR;

/**
 * The policy that a unit file and its drop-ins, in systemd's order, set in `[X-PodUp]`. The last assignment of a key
 * wins, so that a drop-in can mend what it cannot edit; an empty one goes back to the default. Fails with
 * UNIT_POLICY_INVALID, which names every faulty key but no value, for a value may be secret; and for more than 1 MiB.
 */
export function parseUnitPolicy(
  texts: readonly string[],
  defaults: UnitPolicy,
): Outcome<UnitPolicy> {
  if (texts.reduce((sum, { length }) => sum + length, 0) > MAX_TEXT)
    return fail('UNIT_POLICY_INVALID', 'The unit file and its drop-ins are larger than 1 MiB.');
  const section = new SectionReader(texts.flatMap((text) => readSection(text, SECTION)));
  const policy: UnitPolicy = {
    mode: section.one('Mode', defaults.mode, 'observe, stage or deploy', parseMode),
    soakMs: section.one('Soak', defaults.soakMs, 'a time span of 0 to 1 h', span(0, HOUR)),
    startTimeoutMs: section.one(
      'StartTimeout',
      defaults.startTimeoutMs,
      'a time span of 1 s to 1 h',
      span(SECOND, HOUR),
    ),
    probe: section.one('Probe', defaults.probe, PROBE_ALLOWED, parseProbe),
    logMust: section.one('LogMust', defaults.logMust, EXPRESSION_ALLOWED, parseExpression),
    logMustNot: section.one('LogMustNot', defaults.logMustNot, EXPRESSION_ALLOWED, parseExpression),
    rollback: section.one('Rollback', defaults.rollback, 'yes or no', parseUnitBoolean),
    minAgeMs: section.one('MinAge', defaults.minAgeMs, 'a time span of 0 to 365 d', span(0, YEAR)),
    windows: section.all('Window', defaults.windows, WINDOW_ALLOWED, parseMaintenanceWindow),
    quarantineMs: section.one(
      'QuarantineFor',
      defaults.quarantineMs,
      'a time span of 1 s to 365 d, or infinity',
      (raw) => (raw === 'infinity' ? null : span(SECOND, YEAR)(raw)),
    ),
    keepImages: section.one('KeepImages', defaults.keepImages, 'a number, 1 to 20', parseCount),
    writeImage: section.one('WriteImage', defaults.writeImage, 'yes or no', parseUnitBoolean),
    webhookEnabled: section.one(
      'WebhookEnabled',
      defaults.webhookEnabled,
      'yes or no',
      parseUnitBoolean,
    ),
    higherTags: section.one('HigherTags', defaults.higherTags, HIGHER_ALLOWED, (raw) =>
      HIGHER_TAGS.find((word) => word === raw),
    ),
  };
  const faults = section.faults();
  return faults.length === 0 ? succeed(policy) : fail('UNIT_POLICY_INVALID', describe(faults));
}

/** A local time: 0 is Sunday; the minute of the day is 0 to 1439. */
export type LocalTime = { readonly weekday: number; readonly minuteOfDay: number };

/** Whether the time lies in one of the windows; no window at all means always. */
export function isInWindow(windows: readonly MaintenanceWindow[], local: LocalTime): boolean {
  return windows.length === 0 || windows.some((window) => covers(window, local));
}

/**
 * In how many minutes the next window opens, 0 inside of one; looked for a week ahead. Where a clock change lies in
 * between it may be off by an hour: whoever waits looks again then.
 */
export function minutesUntilWindow(
  windows: readonly MaintenanceWindow[],
  { weekday, minuteOfDay }: LocalTime,
): number {
  if (isInWindow(windows, { weekday, minuteOfDay })) return 0;
  const now = weekday * DAY_MINUTES + minuteOfDay;
  const starts = windows.flatMap(({ weekdays, startMinute }) =>
    weekdays.map((day) => day * DAY_MINUTES + startMinute),
  );
  return Math.min(...starts.map((start) => (start - now + 7 * DAY_MINUTES) % (7 * DAY_MINUTES)));
}

function covers(window: MaintenanceWindow, { weekday, minuteOfDay }: LocalTime): boolean {
  const { weekdays, startMinute, endMinute } = window;
  const startsToday = weekdays.includes(weekday) && minuteOfDay >= startMinute;
  if (startMinute < endMinute) return startsToday && minuteOfDay < endMinute;
  const beganYesterday = weekdays.includes((weekday + 6) % 7);
  return startsToday || (beganYesterday && minuteOfDay < endMinute);
}

const DAY_MINUTES = 1440;

const PROBE_ALLOWED =
  'http://… or https://… without a password, tcp:HOST:PORT, or exec:/PATH ARGUMENT…';
const HIGHER_ALLOWED = HIGHER_TAGS.join(', ');
const EXPRESSION_ALLOWED = `a regular expression of at most ${MAX_REGULAR_EXPRESSION} characters`;
const WINDOW_ALLOWED = 'like 02:00-04:00, Mon..Fri 22:00-02:00 or Sat,Sun 00:00-24:00';

type Parse<T> = (raw: string) => T | undefined;

/** The assignments of the section. What nobody asked for in the end is unknown. */
class SectionReader {
  readonly #values = new Map<string, string[]>();
  readonly #faults: string[] = [];

  constructor(assignments: readonly Assignment[]) {
    for (const { key, value } of assignments) {
      const values = this.#values.get(key);
      if (value === '' || !values) this.#values.set(key, value === '' ? [] : [value]);
      else values.push(value);
    }
  }

  one<T>(key: string, fallback: T, allowed: string, parse: Parse<T>): T {
    const [value = fallback] = this.#parse(key, this.#take(key).slice(-1), allowed, parse);
    return value;
  }

  all<T>(key: string, fallback: readonly T[], allowed: string, parse: Parse<T>): readonly T[] {
    const values = this.#parse(key, this.#take(key), allowed, parse);
    return values.length === 0 ? fallback : values;
  }

  faults(): readonly string[] {
    const unknown = [...this.#values.keys()].map((key) =>
      key === '' ? 'a line assigns nothing' : `${key.slice(0, 60)}= is not known`,
    );
    return [...this.#faults, ...unknown];
  }

  #take(key: string): readonly string[] {
    const values = this.#values.get(key) ?? [];
    this.#values.delete(key);
    return values;
  }

  #parse<T>(key: string, raws: readonly string[], allowed: string, parse: Parse<T>): readonly T[] {
    const values = raws.map(parse);
    if (values.every((value) => value !== undefined)) return values;
    this.#faults.push(`${key}= must be ${allowed}`);
    return [];
  }
}

function describe(faults: readonly string[]): string {
  const named = faults.slice(0, MAX_FAULTS).join('; ');
  const more = faults.length - MAX_FAULTS;
  return `In [${SECTION}]: ${named}${more > 0 ? `; and ${more} more` : ''}.`;
}

function parseMode(raw: string): DeployMode | undefined {
  return (['observe', 'stage', 'deploy'] as const).find((mode) => mode === raw);
}

/** A time span within limits, in milliseconds. */
function span(min: number, max: number): Parse<number> {
  return (raw) => {
    const value = parseTimeSpan(raw);
    return value !== undefined && value >= min && value <= max ? value : undefined;
  };
}

function parseExpression(raw: string): string | undefined {
  if (raw.length > MAX_REGULAR_EXPRESSION) return undefined;
  try {
    new RegExp(raw, 'u');
    return raw;
  } catch {
    return undefined;
  }
}

/** As systemd reads booleans. */
export function parseUnitBoolean(raw: string): boolean | undefined {
  const word = raw.toLowerCase();
  if (['1', 'yes', 'y', 'true', 't', 'on'].includes(word)) return true;
  return ['0', 'no', 'n', 'false', 'f', 'off'].includes(word) ? false : undefined;
}

function parseCount(raw: string): number | undefined {
  const count = /^\d{1,2}$/.test(raw) ? Number(raw) : 0;
  return count >= 1 && count <= 20 ? count : undefined;
}
