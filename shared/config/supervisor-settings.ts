import { type HttpAddress, parseHttpAddress } from '../contract/http-address.ts';

/**
 * The few settings that the supervisor itself needs. They are read without the schema library, which alone would
 * double the memory of the supervisor; the worker validates the same variables again with everything else.
 */
export type SupervisorSettings = {
  readonly httpAddr: HttpAddress;
  readonly backoffInitialMs: number;
  readonly backoffMaxMs: number;
  readonly stopTimeoutMs: number;
  readonly soakMs: number;
  readonly updateStartTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly logLevel: string;
};

/** Names, defaults and ranges, shared with the schema of the worker so that both always agree. */
export const SUPERVISOR_DEFAULTS = {
  PODUP_HTTP_ADDR: '127.0.0.1:25111',
  PODUP_RESTART_BACKOFF_INITIAL_MS: { fallback: 500, min: 10, max: 60_000 },
  PODUP_RESTART_BACKOFF_MAX_MS: { fallback: 60_000, min: 10, max: 3_600_000 },
  PODUP_STOP_TIMEOUT_MS: { fallback: 30_000, min: 1_000, max: 600_000 },
  PODUP_SELF_UPDATE_SOAK_MS: { fallback: 60_000, min: 0, max: 3_600_000 },
  PODUP_SELF_UPDATE_START_TIMEOUT_MS: { fallback: 60_000, min: 1_000, max: 3_600_000 },
  PODUP_SELF_UPDATE_IDLE_TIMEOUT_MS: { fallback: 600_000, min: 0, max: 21_600_000 },
  PODUP_LOG_LEVEL: 'info',
} as const;

/** The levels of the log, most detailed first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

type Range = { readonly fallback: number; readonly min: number; readonly max: number };

/** A whole number of milliseconds within its range; undefined for anything else. */
export function parseWithin(raw: string, range: Omit<Range, 'fallback'>): number | undefined {
  if (!/^\d{1,12}$/.test(raw.trim())) return undefined;
  const value = Number(raw);
  return value >= range.min && value <= range.max ? value : undefined;
}

function readNumber(
  environment: NodeJS.ProcessEnv,
  name: string,
  range: Range,
): number | undefined {
  const raw = environment[name];
  return raw === undefined || raw === '' ? range.fallback : parseWithin(raw, range);
}

/** The settings, or undefined when one is faulty: the worker's validation then prints every fault at once. */
export function readSupervisorSettings(
  environment: NodeJS.ProcessEnv,
): SupervisorSettings | undefined {
  const d = SUPERVISOR_DEFAULTS;
  const httpAddr = parseHttpAddress(environment['PODUP_HTTP_ADDR'] || d.PODUP_HTTP_ADDR);
  const logLevel = LOG_LEVELS.find(
    (level) => level === (environment['PODUP_LOG_LEVEL'] || d.PODUP_LOG_LEVEL),
  );
  const numbers = {
    backoffInitialMs: 'PODUP_RESTART_BACKOFF_INITIAL_MS',
    backoffMaxMs: 'PODUP_RESTART_BACKOFF_MAX_MS',
    stopTimeoutMs: 'PODUP_STOP_TIMEOUT_MS',
    soakMs: 'PODUP_SELF_UPDATE_SOAK_MS',
    updateStartTimeoutMs: 'PODUP_SELF_UPDATE_START_TIMEOUT_MS',
    idleTimeoutMs: 'PODUP_SELF_UPDATE_IDLE_TIMEOUT_MS',
  } as const;
  const read = Object.entries(numbers).map(
    ([key, name]) => [key, readNumber(environment, name, d[name])] as const,
  );
  if (!httpAddr || !logLevel || read.some(([, value]) => value === undefined)) return undefined;
  return {
    httpAddr,
    logLevel,
    ...(Object.fromEntries(read) as Record<keyof typeof numbers, number>),
  };
}
