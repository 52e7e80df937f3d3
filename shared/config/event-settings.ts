import { parseTimeSpan } from '../contract/time-span.ts';
import type { Setting } from './setting.ts';
import { parsed, within } from './setting-values.ts';

/** Requests that say nothing while they go well, and come every few seconds. */
const QUIET_ACTIONS = ['health', 'static', 'metrics', 'sse-hello'];
const DAY_MS = 86_400_000;

/** What the event log takes in and how long it keeps it. */
export const EVENT_SETTINGS = {
  eventsExclude: {
    variable: 'PODUP_EVENTS_EXCLUDE',
    schema: parsed(parseExclusions),
    fallback: 'health,static,metrics,sse-hello',
    allowed: 'health, static, metrics, sse-hello, separated by commas, or none',
    about:
      'Which requests leave no event while they go well. What fails is recorded all the same; of a health check each change of its answer.',
  },
  eventRetentionMs: {
    variable: 'PODUP_EVENT_RETENTION',
    schema: parsed(parseRetention),
    fallback: '400d',
    allowed: 'a time span such as 400d, 18M or 2y, 1d to 100y',
    about: 'Events that are older are removed.',
  },
  eventMaxRows: {
    variable: 'PODUP_EVENT_MAX_ROWS',
    schema: within(1_000, 100_000_000),
    fallback: '10000000',
    allowed: 'a number, 1000 to 100000000',
    about: 'Of more events than this the oldest are removed.',
  },
} as const satisfies Record<string, Setting<unknown>>;

function parseExclusions(raw: string): readonly string[] | undefined {
  if (raw.trim() === 'none') return [];
  const words = raw.split(/[\s,]+/).filter((word) => word !== '');
  return words.length > 0 && words.every((word) => QUIET_ACTIONS.includes(word))
    ? [...new Set(words)]
    : undefined;
}

function parseRetention(raw: string): number | undefined {
  const span = parseTimeSpan(raw);
  return span !== undefined && span >= DAY_MS && span <= 36_525 * DAY_MS ? span : undefined;
}
