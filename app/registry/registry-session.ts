import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  Agent,
  buildConnector,
  type Dispatcher,
  request as sendRequest,
} from '../../shared/process/undici-parts.ts';
import { codeOf, explainAbort, explainNetworkError } from './explain-failure.ts';
import { type Exchange, retryUnavailable } from './retry-unavailable.ts';

/** One request to a registry or its token endpoint. */
export type RegistryRequest = {
  readonly method: 'HEAD' | 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** The Authorization header; kept from any other origin that a redirect leads to. */
  readonly authorization?: string;
  readonly body?: string;
  /** The most bytes that a body of status 200 may have; bodies of other statuses are not read. */
  readonly maxBodyBytes: number;
  /** Ends this request alone, besides the signal of the session. */
  readonly signal?: AbortSignal;
};

/** An answer; `url` is what really answered, after redirects. */
export type RegistryResponse = {
  readonly status: number;
  readonly url: URL;
  /** A header by its lower-case name, repeated ones joined by commas. */
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
};

/** Asks a registry. */
export type RegistryAsker = {
  /**
   * Sends a request, follows redirects, retries once where the connection breaks before an answer, and a few times
   * where the server says that it cannot answer now.
   */
  readonly send: (request: RegistryRequest) => Promise<Outcome<RegistryResponse>>;
};

/** Connections of one look-up, of all look-ups of a process, or of all that is asked of one registry in a check. */
export type RegistrySession = RegistryAsker & {
  /** The same connections for one look-up, which has retries of its own; `signal` ends its pauses between them. */
  readonly forOne: (signal: AbortSignal) => RegistryAsker;
  /** Closes every connection; nothing may be sent afterwards. */
  readonly close: () => Promise<void>;
};

/** What holds for every request of a session. */
export type SessionOptions = {
  /** The one host name whose certificate is not verified. Credentials for others always need a verified one. */
  readonly unverifiedHost?: string;
  /** The path of a socket that leads to a host and a port, in place of a connection from here. */
  readonly forward?: (host: string, port: number) => Promise<string>;
  /** Ends everything: a deadline, or the caller giving up. */
  readonly signal: AbortSignal;
  readonly userAgent: string;
  /** The first pause before a server that cannot answer now is asked again, in milliseconds. */
  readonly retryPauseMs?: number;
  /** How long a connection may take to open, in milliseconds; absent: as long as the signal lets it. */
  readonly connectTimeoutMs?: number;
};

const MAX_REDIRECTS = 3;
const REDIRECTS = [301, 302, 303, 307, 308];
const RESET_CODES = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];
/** Of a body that is not wanted so much is read to keep the connection; a longer one closes it. */
const DUMP_BYTES = 65_536;

/**
 * Opens a session with connections of its own: nothing is shared with another session. Its limits are the signals, and the
 * time that a connection may take; the library's own timers are off.
 */
export function openRegistrySession(options: SessionOptions): RegistrySession {
  const limits = { allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  // The signal is the sockets', not each request's: the library looks at the latter only once it is connected.
  const connect = { timeout: options.connectTimeoutMs ?? 0, signal: options.signal };
  const via = (how: ConnectOptions) => chooseConnect(how, options.forward);
  const verifying = new Agent({ ...limits, connect: via(connect) });
  const trusting = new Agent({
    ...limits,
    connect: via({ ...connect, rejectUnauthorized: false }),
  });
  const pick = (url: URL) => (url.hostname === options.unverifiedHost ? trusting : verifying);
  const exchangeOnce: Exchange = (hop) => exchange(hop, pick(hop.url), options);
  const forOne = (signal: AbortSignal): RegistryAsker => {
    const exchangeOne = retryUnavailable(exchangeOnce, signal, options.retryPauseMs);
    return { send: (request) => follow(request, exchangeOne) };
  };
  return {
    ...forOne(options.signal),
    forOne,
    close: async () => {
      await Promise.all([verifying.destroy(), trusting.destroy()]);
    },
  };
}

type ConnectOptions = buildConnector.BuildOptions;

/** A certificate is verified for the name that was asked for, wherever the socket leads through. */
function chooseConnect(
  how: ConnectOptions,
  forward: SessionOptions['forward'],
): ConnectOptions | buildConnector.connector {
  if (!forward) return how;
  return (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    forward(options.hostname.replace(/^\[|\]$/g, ''), port).then(
      (socketPath) => buildConnector({ ...how, socketPath })(options, callback),
      (error: Error) => callback(error, null),
    );
  };
}

/** RFC 9110 §15.4, for GET and HEAD only: a token request by POST carries its secret in the body. */
async function follow(
  request: RegistryRequest,
  exchangeOne: Exchange,
): Promise<Outcome<RegistryResponse>> {
  let hop = request;
  for (let redirects = 0; ; redirects++) {
    const answer = await exchangeOne(hop);
    if (!answer.ok || request.method === 'POST' || !REDIRECTS.includes(answer.value.status)) {
      return answer;
    }
    const { host } = hop.url;
    const location = answer.value.header('location');
    const next = location === undefined ? null : URL.parse(location, hop.url);
    if (!next || !isAllowedScheme(next, request.url)) {
      return fail('REGISTRY_RESPONSE_INVALID', `${host} redirects to where is not to be followed.`);
    }
    if (redirects === MAX_REDIRECTS) {
      return fail(
        'REGISTRY_RESPONSE_INVALID',
        `${host} redirects more than ${MAX_REDIRECTS} times.`,
      );
    }
    const { authorization, ...open } = hop;
    const keeps = authorization !== undefined && next.origin === hop.url.origin;
    hop = { ...open, url: next, ...(keeps && { authorization }) };
  }
}

/** Whether `url` may be used on the word of `source`: https always, http only where `source` itself was plain http. */
export function isAllowedScheme(url: URL, source: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && source.protocol === 'http:');
}

async function exchange(
  request: RegistryRequest,
  dispatcher: Dispatcher,
  options: SessionOptions,
): Promise<Outcome<RegistryResponse>> {
  const { host } = request.url;
  const signal = request.signal
    ? AbortSignal.any([request.signal, options.signal])
    : options.signal;
  try {
    const data = await untilAborted(sendRetrying(request, dispatcher, options), request.signal);
    const { statusCode, headers } = data;
    if (statusCode !== 200) await data.body.dump({ limit: DUMP_BYTES, signal });
    const body = statusCode === 200 ? await readBody(data.body, request.maxBodyBytes) : undefined;
    if (statusCode === 200 && !body) {
      const limit = `${request.maxBodyBytes} bytes`;
      return fail('REGISTRY_RESPONSE_INVALID', `The answer of ${host} is longer than ${limit}.`);
    }
    return succeed({
      status: statusCode,
      url: request.url,
      header: (name) => [headers[name] ?? []].flat().join(', ') || undefined,
      body: body ?? Buffer.alloc(0),
    });
  } catch (error) {
    if (signal.aborted) return explainAbort(signal, host);
    return explainNetworkError(error, host);
  }
}

/** The library looks at the signal of a request only once it is connected, and a connection may take long. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason);
  // What comes of it afterwards concerns nobody.
  work.catch(() => undefined);
  signal.addEventListener('abort', give);
  if (signal.aborted) give();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

/** A server may close an idle or overloaded connection at any time; what only reads is then safe to send again. */
async function sendRetrying(
  request: RegistryRequest,
  dispatcher: Dispatcher,
  options: SessionOptions,
): Promise<Dispatcher.ResponseData> {
  const send = () =>
    sendRequest(request.url, {
      dispatcher,
      method: request.method,
      headers: {
        'user-agent': options.userAgent,
        'accept-encoding': 'identity',
        ...request.headers,
        ...(request.authorization !== undefined && { authorization: request.authorization }),
      },
      ...(request.body !== undefined && { body: request.body }),
      ...(request.signal && { signal: request.signal }),
    });
  try {
    return await send();
  } catch (error) {
    const reset = RESET_CODES.includes(codeOf(error) ?? '');
    if (!reset || request.method === 'POST') throw error;
    return await send();
  }
}

async function readBody(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
