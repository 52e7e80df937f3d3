import { parseUnitName } from '../contract/unit-name.ts';
import { milliseconds, type Setting } from './setting.ts';
import { absolutePath, parsed, within } from './setting-values.ts';

const MONTH_SECONDS = 2_678_400;

/** What concerns podman's own auto-update, and the old path that begins it. */
export const AUTO_UPDATE_SETTINGS = {
  autoUpdateUnit: {
    variable: 'PODUP_MANUAL_AUTO_UPDATE_UNIT',
    schema: parsed(parseUnitName),
    fallback: 'podman-auto-update.service',
    allowed: 'a service name such as podman-auto-update.service',
    about:
      "The unit that runs podman's auto-update. Another one than podman's own is a wrapper of yours: a run starts it.",
  },
  autoUpdateTimeoutMs: milliseconds(
    'PODUP_AUTO_UPDATE_TIMEOUT_MS',
    { fallback: 1_800_000, min: 1_000, max: 21_600_000 },
    "The limit of one run of podman's auto-update, with all its pulls and restarts.",
  ),
  autoUpdateLogDir: {
    variable: 'PODUP_AUTO_UPDATE_LOG_DIR',
    schema: absolutePath,
    allowed: 'an absolute path',
    about:
      'The folder of JSON lines that a wrapper of podman auto-update writes. Unset: ~/.local/share/podman-auto-update/logs.',
  },
  autoUpdateLogQuietS: {
    variable: 'PODUP_AUTO_UPDATE_LOG_MAX_AGE_SECS',
    schema: within(1, MONTH_SECONDS),
    fallback: '600',
    allowed: 'seconds, 1 to 2678400',
    about:
      'When such a log without a summary is taken as it is: nothing was written to it for so long.',
  },
  limit1Count: {
    variable: 'PODUP_LIMIT1_COUNT',
    schema: within(0, 1_000),
    fallback: '2',
    allowed: 'a number, 0 to 1000',
    about: 'How often POST /auto-update is let through in the first window.',
  },
  limit1WindowSecs: {
    variable: 'PODUP_LIMIT1_WINDOW',
    schema: within(1, MONTH_SECONDS),
    fallback: '600',
    allowed: 'seconds, 1 to 2678400',
    about: 'How long the first window of POST /auto-update is.',
  },
  limit2Count: {
    variable: 'PODUP_LIMIT2_COUNT',
    schema: within(0, 1_000),
    fallback: '10',
    allowed: 'a number, 0 to 1000',
    about: 'How often it is let through in the second window.',
  },
  limit2WindowSecs: {
    variable: 'PODUP_LIMIT2_WINDOW',
    schema: within(1, MONTH_SECONDS),
    fallback: '18000',
    allowed: 'seconds, 1 to 2678400',
    about: 'How long the second window is.',
  },
} as const satisfies Record<string, Setting<unknown>>;
