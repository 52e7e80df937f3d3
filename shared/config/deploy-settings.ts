import * as z from 'zod';
import { milliseconds, type Setting } from './setting.ts';
import { parsed, parseFlag, within } from './setting-values.ts';

const YEAR_MS = 31_536_000_000;

/** The part of the settings that a unit may set for itself, in its section `[X-PodUp]`. */
export const DEPLOY_SETTINGS = {
  deployMode: {
    variable: 'PODUP_DEPLOY_MODE',
    schema: z.enum(['observe', 'stage', 'deploy']),
    fallback: 'deploy',
    allowed: 'observe, stage or deploy',
    about:
      'How far a task goes: observe only tells what is new, stage also pulls it, deploy also restarts the unit. A unit may say otherwise with Mode= in [X-PodUp].',
  },
  deploySoakMs: milliseconds(
    'PODUP_DEPLOY_SOAK_MS',
    { fallback: 10_000, min: 0, max: 3_600_000 },
    'How long a unit has to serve before its new image is proven. In a unit: Soak=.',
  ),
  deployStartTimeoutMs: milliseconds(
    'PODUP_DEPLOY_START_TIMEOUT_MS',
    { fallback: 120_000, min: 1_000, max: 3_600_000 },
    'How long a unit may take from its restart until it is healthy and probed. In a unit: StartTimeout=.',
  ),
  deployRollback: {
    variable: 'PODUP_DEPLOY_ROLLBACK',
    schema: parsed(parseFlag),
    fallback: 'on',
    allowed: '1, true, yes, on or 0, false, no, off',
    about: 'Whether a unit that fails gets its former image back. In a unit: Rollback=.',
  },
  deployMinAgeMs: milliseconds(
    'PODUP_DEPLOY_MIN_AGE_MS',
    { fallback: 0, min: 0, max: YEAR_MS },
    'How old an image has to be before it is deployed. In a unit: MinAge=.',
  ),
  deployKeepImages: {
    variable: 'PODUP_DEPLOY_KEEP_IMAGES',
    schema: within(1, 20),
    fallback: '2',
    allowed: 'a number, 1 to 20',
    about: 'How many former images of a unit are kept. In a unit: KeepImages=.',
  },
  quarantineMs: milliseconds(
    'PODUP_QUARANTINE_MS',
    { fallback: 0, min: 0, max: YEAR_MS },
    'How long an image that failed is left alone; 0: until its digest changes or a person releases it. In a unit: QuarantineFor=.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
