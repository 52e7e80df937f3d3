const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/** Milliseconds of each unit of systemd.time(7); nothing here is finer than a millisecond. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ...name(1, ['ms', 'msec']),
  ...name(SECOND, ['', 's', 'sec', 'second', 'seconds']),
  ...name(60 * SECOND, ['m', 'min', 'minute', 'minutes']),
  ...name(3_600 * SECOND, ['h', 'hr', 'hour', 'hours']),
  ...name(DAY, ['d', 'day', 'days']),
  ...name(7 * DAY, ['w', 'week', 'weeks']),
  ...name(30.44 * DAY, ['M', 'month', 'months']),
  ...name(365.25 * DAY, ['y', 'year', 'years']),
]);

/**
 * The milliseconds of a time span like `90`, `1min 30s`, `2h` or `1.5d`, rounded; a bare number counts seconds.
 * Undefined for anything else, `infinity` included.
 */
export function parseTimeSpan(raw: string): number | undefined {
  let total = 0;
  let rest = raw.trim();
  do {
    const [part, amount, unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]*)\s*/.exec(rest) ?? [];
    const factor = UNITS.get(unit);
    if (part === undefined || factor === undefined) return undefined;
    total += Number(amount) * factor;
    rest = rest.slice(part.length);
  } while (rest !== '');
  return Math.round(total);
}

function name(milliseconds: number, names: readonly string[]): [string, number][] {
  return names.map((unit) => [unit, milliseconds]);
}
