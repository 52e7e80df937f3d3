import { fail } from '../../shared/contract/outcome.ts';
import { errors } from '../../shared/process/undici-parts.ts';
import { parseRetryAfter } from './parse-retry-after.ts';
import type { RegistryResponse } from './registry-session.ts';

type Failed = ReturnType<typeof fail>;

/** The limits of the kernel, and of a session for opening a connection; undici's other timers are off. */
const TIMEOUT_CODES = ['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'];

/**
 * The failure that a look-up whose signal was aborted comes to: REGISTRY_TIMEOUT where a limit ran out. Throws the
 * reason of the signal where the caller gave up, as every abortable function does.
 */
export function explainAbort(signal: AbortSignal, host: string): Failed {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return fail('REGISTRY_TIMEOUT', `${host} did not answer within the limit of the look-up.`);
  }
  throw reason;
}

/** The failure that a broken exchange with `host` comes to. Throws what is no failure of the network. */
export function explainNetworkError(error: unknown, host: string): Failed {
  // Of what is not HTTP at all undici's parser gives no code.
  const code = codeOf(error) ?? (error instanceof errors.HTTPParserError ? 'HPE_' : undefined);
  if (code === undefined || code === 'UND_ERR_INVALID_ARG') throw error;
  if (TIMEOUT_CODES.includes(code)) {
    return fail('REGISTRY_TIMEOUT', `${host} did not answer in time (${code}).`);
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code.startsWith('HPE_')) {
    return fail('REGISTRY_RESPONSE_INVALID', `${host} does not keep to HTTP (${code}).`);
  }
  return fail('REGISTRY_UNREACHABLE', `The connection to ${host} failed (${code}).`);
}

/** The code of an error of Node or undici; undefined for anything else. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The failure that an unwanted status comes to. `asked` says in words what was asked for. Of the answer only the status
 * and a well-formed Retry-After are quoted: a hostile registry could send back the secrets that it was sent. With
 * REGISTRY_RATE_LIMITED the failure carries that Retry-After as well.
 */
export function explainStatus(response: RegistryResponse, asked: string): Failed {
  const said = `${response.url.host} answered ${response.status} for ${asked}.`;
  switch (response.status) {
    case 401:
    case 403:
      return fail('REGISTRY_UNAUTHORIZED', said);
    case 404:
      return fail('REGISTRY_IMAGE_NOT_FOUND', said);
    case 429:
      return explainRateLimit(response, said);
    default:
      return fail('REGISTRY_RESPONSE_INVALID', said);
  }
}

function explainRateLimit(response: RegistryResponse, said: string): Failed {
  const value = response.header('retry-after') ?? '';
  const retryAfterMs = parseRetryAfter(value, Date.now());
  if (retryAfterMs === undefined) return fail('REGISTRY_RATE_LIMITED', said);
  const limited = fail('REGISTRY_RATE_LIMITED', `${said} Retry-After: ${value}.`);
  return { ok: false, failure: { ...limited.failure, retryAfterMs } };
}
