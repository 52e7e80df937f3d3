import { on } from 'node:events';
import { FailureError, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import {
  Agent,
  type Dispatcher,
  errors,
  request as sendRequest,
} from '../../../shared/process/undici-parts.ts';

/** How long what may take. Milliseconds. */
export type HttpLimits = {
  /** Until a connection with TLS stands. */
  readonly connectMs: number;
  /** From then until the last byte of the head of the answer. */
  readonly headMs: number;
  /** Between two pieces of a body. */
  readonly chunkMs: number;
  /** At least so many bytes come in so long, or it is given up: one byte now and then is no download. */
  readonly pace: { readonly bytes: number; readonly ms: number };
};

export const HTTP_LIMITS: HttpLimits = {
  connectMs: 15_000,
  headMs: 30_000,
  chunkMs: 30_000,
  pace: { bytes: 16_384, ms: 60_000 },
};

/** A file that is asked for. */
export type HttpQuestion = {
  /** Default: GET. */
  readonly method?: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Kept from any other origin that a redirect leads to. */
  readonly authorization?: string;
};

/** An answer. Its body is taken to the end or discarded. */
export type HttpAnswer = {
  readonly status: number;
  /** What really answered, after redirects. */
  readonly url: URL;
  /** A header by its lower-case name, repeated ones joined by commas. */
  readonly header: (name: string) => string | undefined;
  /** Throws a `FailureError` where it breaks off. */
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly discard: () => void;
};

/** Connections to the source of releases. */
export type ReleaseHttp = {
  get(question: HttpQuestion): Promise<Outcome<HttpAnswer>>;
  /** The same without following anybody: a redirect is an answer like others. */
  ask(question: HttpQuestion): Promise<Outcome<HttpAnswer>>;
  /** Closes every connection; nothing may be asked afterwards. */
  close(): Promise<void>;
};

const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];
const TIMEOUTS = [
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  'ETIMEDOUT',
];

/** How many pieces, of 64 KiB at most, wait for the disk before the network waits. */
const QUEUED_CHUNKS = { highWaterMark: 64, lowWaterMark: 16 };

/** Opens connections of their own, which the signal ends. */
export function openReleaseHttp(options: {
  readonly userAgent: string;
  readonly signal: AbortSignal;
  readonly limits: HttpLimits;
}): ReleaseHttp {
  const { signal, limits } = options;
  const agent = new Agent({
    allowH2: false,
    headersTimeout: limits.headMs,
    bodyTimeout: limits.chunkMs,
    // The signal is the sockets': a request is only looked at once it is connected.
    connect: { timeout: limits.connectMs, signal },
  });
  return {
    get: (question) => follow(question, (hop) => exchange(hop, agent, options)),
    ask: (question) => exchange(question, agent, options),
    close: () => agent.destroy(),
  };
}

/** RFC 9110 §15.4; what was said to one origin in confidence is not repeated to another. */
async function follow(
  question: HttpQuestion,
  exchangeOne: (hop: HttpQuestion) => Promise<Outcome<HttpAnswer>>,
): Promise<Outcome<HttpAnswer>> {
  let hop = question;
  for (let redirects = 0; ; redirects++) {
    const answer = await exchangeOne(hop);
    if (!answer.ok || !REDIRECTS.includes(answer.value.status)) return answer;
    answer.value.discard();
    const location = answer.value.header('location');
    const next = location === undefined ? null : URL.parse(location, hop.url);
    if (!next || !mayFollow(hop.url, next)) {
      return invalid(`${hop.url.host} redirects to where is not to be followed.`);
    }
    if (redirects === MAX_REDIRECTS) {
      return invalid(`${question.url.host} redirects more than ${MAX_REDIRECTS} times.`);
    }
    const { authorization, ...open } = hop;
    const keeps = authorization !== undefined && next.origin === hop.url.origin;
    hop = { ...open, url: next, ...(keeps && { authorization }) };
  }
}

/** Programs are not fetched in the clear, but within this very host. */
function mayFollow(from: URL, to: URL): boolean {
  if (to.username !== '' || to.password !== '') return false;
  return (
    to.protocol === 'https:' || (to.protocol === 'http:' && isLoopback(from) && isLoopback(to))
  );
}

function isLoopback({ hostname }: URL): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Whether a URL that a listing names may be asked. */
export function isFetchable(url: URL): boolean {
  return mayFollow(url, url);
}

async function exchange(
  { method = 'GET', url, headers, authorization }: HttpQuestion,
  dispatcher: Dispatcher,
  options: Parameters<typeof openReleaseHttp>[0],
): Promise<Outcome<HttpAnswer>> {
  const explain = (error: unknown) => explainError(error, url.host, options.signal);
  try {
    const answer = await sendRequest(url, {
      method,
      dispatcher,
      signal: options.signal,
      headers: {
        'user-agent': options.userAgent,
        'accept-encoding': 'identity',
        ...headers,
        ...(authorization !== undefined && { authorization }),
      },
    });
    const { statusCode: status, body } = answer;
    const header = (name: string) => [answer.headers[name] ?? []].flat().join(', ') || undefined;
    const discard = () => void body.destroy();
    if ((header('content-encoding') ?? 'identity') !== 'identity' && status < 300) {
      discard();
      return invalid(`${url.host} sends an encoded body although it was asked not to.`);
    }
    return succeed({
      status,
      url,
      header,
      discard,
      bytes: readPaced(body, queue(body), options.limits.pace, explain),
    });
  } catch (error) {
    return explain(error);
  }
}

/**
 * The pieces of a body from this moment on, with all that came before an error: the iterator of the stream itself
 * throws away what it holds then, and a download would have to fetch it again.
 */
function queue(body: Dispatcher.ResponseData['body']): AsyncIterable<Uint8Array[]> {
  return on(body, 'data', { close: ['end', 'close'], ...QUEUED_CHUNKS });
}

/** The pieces of a body, as long as they come fast enough. */
async function* readPaced(
  body: Dispatcher.ResponseData['body'],
  pieces: AsyncIterable<Uint8Array[]>,
  pace: HttpLimits['pace'],
  explain: (error: unknown) => { readonly failure: FailureError['failure'] },
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const timer = setInterval(() => {
    if (bytes < pace.bytes) body.destroy(new TooSlow());
    bytes = 0;
  }, pace.ms);
  try {
    for await (const event of pieces) {
      for (const piece of event) {
        bytes += piece.byteLength;
        yield piece;
      }
    }
  } catch (error) {
    throw new FailureError(explain(error).failure, { cause: error });
  } finally {
    clearInterval(timer);
    body.destroy();
  }
}

class TooSlow extends Error {
  readonly code = 'TOO_SLOW';
}

function explainError(error: unknown, host: string, signal: AbortSignal) {
  if (signal.aborted) return fail('UPDATE_CANCELLED', 'Fetching the release was stopped.');
  // Of what is not HTTP at all undici's parser gives no code.
  const isGarbled = error instanceof errors.HTTPParserError;
  const code = isGarbled ? 'HPE_' : (error as { code?: unknown }).code;
  if (typeof code !== 'string' || code === 'UND_ERR_INVALID_ARG') throw error;
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code.startsWith('HPE_')) {
    return invalid(`${host} does not keep to HTTP (${code}).`);
  }
  if (code === 'TOO_SLOW') return unreachable(`${host} sends too slowly.`);
  if (TIMEOUTS.includes(code)) return unreachable(`${host} did not answer in time (${code}).`);
  return unreachable(`The connection to ${host} failed (${code}).`);
}

function invalid(detail: string) {
  return fail('RELEASE_SOURCE_INVALID', detail);
}

function unreachable(detail: string) {
  return fail('RELEASE_SOURCE_UNREACHABLE', detail);
}
