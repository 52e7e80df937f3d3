import * as z from 'zod';
import { parseTimeSpan } from '../contract/time-span.ts';
import { milliseconds, type Setting } from './setting.ts';
import { parsed } from './setting-values.ts';

/** How updates are looked for. */
export const CHECK_SETTINGS = {
  registryTimeoutMs: milliseconds(
    'PODUP_REGISTRY_TIMEOUT_MS',
    { fallback: 10_000, min: 100, max: 120_000 },
    'The limit of one look-up at a registry, with its redirects, its token and its retries.',
  ),
  updateStaleMs: {
    variable: 'PODUP_UPDATE_STALE_AFTER',
    schema: parsed(parseStale),
    fallback: '2h',
    allowed: 'a time span such as 10min or 2h, 1s to 30d; a bare number counts seconds',
    about:
      'After that time what a check for updates has found is called stale; it is told all the same.',
  },
  higherTags: {
    variable: 'PODUP_HIGHER_TAGS',
    schema: z.enum(['off', 'patch', 'minor', 'major']),
    fallback: 'minor',
    allowed: 'off, patch, minor or major',
    about:
      'Which higher versions checks for updates tell of where the tag of a unit is a version such as 1.2 or v1.2.3-alpine: those within its minor, within its major, or all. In a unit: HigherTags=.',
  },
} as const satisfies Record<string, Setting<unknown>>;

function parseStale(raw: string): number | undefined {
  const ms = parseTimeSpan(raw);
  return ms !== undefined && ms >= 1_000 && ms <= 30 * 86_400_000 ? ms : undefined;
}
