import { milliseconds, type Setting } from './setting.ts';
import { absolutePath, parsed, parseFlag, parseUnits } from './setting-values.ts';

/** Which units may be deployed. */
export const DISCOVERY_SETTINGS = {
  units: {
    variable: 'PODUP_MANUAL_UNITS',
    schema: parsed(parseUnits),
    fallback: '',
    allowed: 'service names such as web or web.service, separated by commas or white space',
    about:
      'The units that webhooks and the schedule may update. Those that are found on the host besides are deployed at the word of a person only; see docs/units.md.',
  },
  autoDiscover: {
    variable: 'PODUP_AUTO_DISCOVER',
    schema: parsed(parseFlag),
    fallback: 'off',
    allowed: '1, true, yes, on or 0, false, no, off',
    about:
      'Whether webhooks and the schedule may also update units that were found on the host and ask for it: AutoUpdate=registry, WebhookEnabled=yes in [X-PodUp], or X-Webhook-Enabled=yes.',
  },
  containerDir: {
    variable: 'PODUP_CONTAINER_DIR',
    schema: absolutePath,
    allowed: 'an absolute path',
    about: 'A folder of Quadlet files that is looked into besides those that Quadlet itself reads.',
  },
  discoverySweepMs: milliseconds(
    'PODUP_DISCOVERY_SWEEP_MS',
    { fallback: 300_000, min: 5_000, max: 86_400_000 },
    'How often units are looked for where no change of a folder tells of them.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
