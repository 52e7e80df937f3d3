import type { MaintenanceWindow } from './unit-policy.ts';

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];

/**
 * Reads `02:00-04:00`, `Mon..Fri 22:00-02:00` or `Sat,Sun 00:00-24:00`: days as in systemd.time(7), then start and
 * end. Undefined for anything else, and where start and end are the same, for that could mean never as well as always.
 */
export function parseMaintenanceWindow(raw: string): MaintenanceWindow | undefined {
  const [, days, start, end] =
    /^(?:(\S+)\s+)?(\d\d:\d\d)\s*-\s*(\d\d:\d\d)$/.exec(raw.trim()) ?? [];
  const weekdays = days === undefined ? EVERY_DAY : parseDays(days);
  const startMinute = parseMinute(start);
  const endMinute = parseMinute(end);
  if (!weekdays || startMinute === undefined || endMinute === undefined) return undefined;
  if (startMinute === 1440 || startMinute === endMinute) return undefined;
  return { weekdays, startMinute, endMinute };
}

function parseDays(raw: string): readonly number[] | undefined {
  const found = new Set<number>();
  for (const part of raw.split(',')) {
    const [first, last, ...rest] = part.split('..').map(parseDay);
    if (first === undefined || rest.length > 0) return undefined;
    if (part.includes('..') && last === undefined) return undefined;
    // A range may pass the end of the week: Fri..Mon.
    const length = ((last ?? first) - first + 7) % 7;
    for (let day = first; day <= first + length; day++) found.add(day % 7);
  }
  return [...found].sort((a, b) => a - b);
}

function parseDay(raw: string): number | undefined {
  const word = raw.toLowerCase();
  const day = DAYS.findIndex((name) => word === name || word === name.slice(0, 3));
  return day < 0 ? undefined : day;
}

/** Minutes since midnight, up to 24:00. */
function parseMinute(raw: string | undefined): number | undefined {
  const [hour = Number.NaN, minute = Number.NaN] = raw?.split(':').map(Number) ?? [];
  return minute < 60 && hour * 60 + minute <= 1440 ? hour * 60 + minute : undefined;
}
