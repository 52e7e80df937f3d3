import type { Change, Fault, FaultProxy } from './fault-proxy.ts';

/** An answer that is a status alone. */
export function status(code: number, headers: Record<string, string> = {}): Fault {
  return ({ response }) => void response.writeHead(code, headers).end();
}

/** Asks for the login that it was just sent. */
export const refuse = status(401, { 'www-authenticate': 'Basic realm="faults"' });

/** 429, with what Retry-After says at that moment. */
export function limit(retryAfter?: () => string): Fault {
  return (asked) => status(429, retryAfter && { 'retry-after': retryAfter() })(asked);
}

/** The fault for so many requests, then nothing is wrong any more. */
export function first(times: number, fault: Fault): Fault {
  return (asked) => (asked.before < times ? fault(asked) : asked.pass());
}

/** The fault where a body is asked for; there is no HEAD. */
export function onGet(fault: Fault): Fault {
  return (asked) => (asked.method === 'HEAD' ? status(405)(asked) : fault(asked));
}

/** A body of a megabyte, of which a byte comes now and then. */
export const drip: Fault = ({ response }) => {
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  response.writeHead(200, { 'content-type': type, 'content-length': 1_000_000 });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};

/** What the registry answers, but changed. */
function changed(change: Change): Fault {
  return ({ pass }) => pass(change);
}

/** One bit of the body is another: still JSON where it was, in a word or a digest. */
export const damaged = changed(({ body }) => {
  const wrong = Buffer.from(body);
  const at = Math.floor(body.length / 2);
  wrong.writeUInt8(wrong.readUInt8(at) ^ 1, at);
  return { body: wrong };
});

/** The body ends before it should, as its length says, too. */
export const shortened = changed(({ body }) => ({ body: body.subarray(0, body.length / 2) }));

/** Of the same meaning, but not the bytes that were pushed. */
export const reformatted = changed(({ body }) => ({
  body: Buffer.concat([body, Buffer.from('\n')]),
}));

const FALSE_DIGEST = `sha256:${'0a'.repeat(32)}`;

/** A header that says a digest that nothing has. */
export const falseHeader = changed(() => ({ headers: { 'docker-content-digest': FALSE_DIGEST } }));

/** The same, and asked for that digest the registry sends what its tag means. */
export const falseDigest: Fault = (asked) =>
  asked.target === 'look-up'
    ? falseHeader(asked)
    : asked.pass(undefined, asked.path.replace(/[^/]+$/, 'stable'));

/** Sends to the same path of another host. */
export function redirect(to: () => FaultProxy): Fault {
  return ({ response, path }) =>
    void response.writeHead(307, { location: `http://${to().host}${path}` }).end();
}
