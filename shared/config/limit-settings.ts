import { milliseconds, type Setting } from './setting.ts';
import { within } from './setting-values.ts';

/** What is let through how often, and how many may connect. */
export const LIMIT_SETTINGS = {
  imageLimitCount: {
    variable: 'PODUP_IMAGE_LIMIT_COUNT',
    schema: within(1, 10_000),
    fallback: '60',
    allowed: 'a number, 1 to 10000',
    about:
      'How often deliveries have one image deployed in a window. What comes beyond that waits, and is not lost.',
  },
  imageLimitWindowSecs: {
    variable: 'PODUP_IMAGE_LIMIT_WINDOW',
    schema: within(1, 86_400),
    fallback: '3600',
    allowed: 'seconds, 1 to 86400',
    about: 'How long that window is.',
  },
  failedLimitCount: {
    variable: 'PODUP_FAILED_LIMIT_COUNT',
    schema: within(1, 10_000),
    fallback: '20',
    allowed: 'a number, 1 to 10000',
    about:
      'How often credentials of one address may fail in a window; then it is told to come later.',
  },
  failedTotalLimitCount: {
    variable: 'PODUP_FAILED_TOTAL_LIMIT_COUNT',
    schema: within(1, 1_000_000),
    fallback: '500',
    allowed: 'a number, 1 to 1000000',
    about: 'How often those of all addresses may.',
  },
  failedLimitWindowSecs: {
    variable: 'PODUP_FAILED_LIMIT_WINDOW',
    schema: within(1, 86_400),
    fallback: '600',
    allowed: 'seconds, 1 to 86400',
    about: 'How long that window is.',
  },
  maxConnections: {
    variable: 'PODUP_MAX_CONNECTIONS',
    schema: within(10, 100_000),
    fallback: '1000',
    allowed: 'a number, 10 to 100000',
    about:
      'How many connections may be open. Beyond them the one that has been idle longest is closed. Fewer where the process may not open so many files.',
  },
  maxConnectionsPerAddress: {
    variable: 'PODUP_MAX_CONNECTIONS_PER_ADDRESS',
    schema: within(1, 100_000),
    fallback: '300',
    allowed: 'a number, 1 to 100000',
    about: 'How many of them may be of one address; an IPv6 address counts with its /64.',
  },
  headTimeoutMs: milliseconds(
    'PODUP_HEAD_TIMEOUT_MS',
    { fallback: 10_000, min: 100, max: 60_000 },
    'How long a new connection may take to send the head of its first request.',
  ),
  requestTimeoutMs: milliseconds(
    'PODUP_REQUEST_TIMEOUT_MS',
    { fallback: 30_000, min: 1_000, max: 300_000 },
    'How long a whole request may take to arrive.',
  ),
  minBodyRate: {
    variable: 'PODUP_MIN_BODY_RATE',
    schema: within(0, 1_000_000),
    fallback: '500',
    allowed: 'bytes a second, 0 to 1000000',
    about: 'With how many bytes a second a body has to arrive, after its first five seconds.',
  },
} as const satisfies Record<string, Setting<unknown>>;
