import type { Setting } from './setting.ts';
import { parsed, parseFlag, parseUnits } from './setting-values.ts';

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
} as const satisfies Record<string, Setting<unknown>>;
