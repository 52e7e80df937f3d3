import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { describe, test } from 'node:test';
import { ERRORS, isErrorCode } from '../../../../shared/contract/error-codes.ts';
import {
  type Asked,
  ask,
  deliveryHeaders,
  MAX_BODY_BYTES,
  SECRET,
  sign,
  startApp,
} from '../http-fixture.ts';

const PATH = '/github-package-update/web';
const GOOD_BODY = '{"action":"published"}';
const LARGE_BODY = 'x'.repeat(MAX_BODY_BYTES + 1);

type Fault = (asked: Required<Asked>) => Required<Asked>;

function without(...names: string[]): Fault {
  return (asked) => ({
    ...asked,
    headers: Object.fromEntries(
      Object.entries(asked.headers).filter(([name]) => !names.includes(name)),
    ),
  });
}

function withHeaders(headers: Record<string, string>): Fault {
  return (asked) => ({ ...asked, headers: { ...asked.headers, ...headers } });
}

/** Body with its own length and a good signature. */
function withBody(body: string): Fault {
  return withHeadersOf(body, { 'content-length': String(Buffer.byteLength(body)) });
}

function withHeadersOf(body: string, headers: Record<string, string>): Fault {
  return (asked) => {
    const signed = { ...asked.headers, 'x-hub-signature-256': sign(body), ...headers };
    return { ...asked, body, headers: signed };
  };
}

function chunked(body: string): Fault {
  return (asked) => {
    const { 'content-length': _length, ...headers } = asked.headers;
    const signed = { ...headers, 'x-hub-signature-256': sign(body) };
    return { ...asked, body, headers: { ...signed, 'transfer-encoding': 'chunked' } };
  };
}

const NO_SECRET = 'no secret is configured';

/** The documented order: with two faults the one further up is answered. */
const FAULTS: readonly [title: string, code: string, fault: Fault | typeof NO_SECRET][] = [
  ['another path', 'NOT_FOUND', (asked) => ({ ...asked, path: `${PATH}/deploy` })],
  ['another method', 'METHOD_NOT_ALLOWED', (asked) => ({ ...asked, method: 'PUT' })],
  [NO_SECRET, 'WEBHOOK_SECRET_NOT_CONFIGURED', NO_SECRET],
  [
    'another content type',
    'CONTENT_TYPE_UNSUPPORTED',
    withHeaders({ 'content-type': 'application/x-www-form-urlencoded' }),
  ],
  ['no signature', 'SIGNATURE_MISSING', without('x-hub-signature-256')],
  ['a body that is too large', 'BODY_TOO_LARGE', withBody(LARGE_BODY)],
  ['another signature', 'SIGNATURE_INVALID', withHeaders({ 'x-hub-signature-256': sign('other') })],
  ['no event', 'WEBHOOK_HEADER_MISSING', without('x-github-event')],
  ['a body that is not JSON', 'BODY_NOT_JSON', withBody('{"action"')],
];

const MORE: readonly [title: string, code: string, fault: Fault][] = [
  ['the path alone', 'NOT_FOUND', (asked) => ({ ...asked, path: '/github-package-update' })],
  ['an empty unit', 'NOT_FOUND', (asked) => ({ ...asked, path: '/github-package-update/' })],
  ['a trailing slash', 'NOT_FOUND', (asked) => ({ ...asked, path: `${PATH}/` })],
  ['a deeper path', 'NOT_FOUND', (asked) => ({ ...asked, path: `${PATH}/redeploy/now` })],
  ['upper case', 'NOT_FOUND', (asked) => ({ ...asked, path: '/GitHub-package-update/web' })],
  [
    'a unit of 301 characters',
    'NOT_FOUND',
    (asked) => ({ ...asked, path: `/github-package-update/${'w'.repeat(301)}` }),
  ],
  [
    'a broken escape',
    'REQUEST_INVALID',
    (asked) => ({ ...asked, path: '/github-package-update/%zz' }),
  ],
  ['no content type', 'CONTENT_TYPE_UNSUPPORTED', without('content-type')],
  [
    'a JSON dialect',
    'CONTENT_TYPE_UNSUPPORTED',
    withHeaders({ 'content-type': 'application/json+x' }),
  ],
  ['an empty signature', 'SIGNATURE_MISSING', withHeaders({ 'x-hub-signature-256': '' })],
  [
    'the older signature only',
    'SIGNATURE_MISSING',
    (asked) => withHeaders({ 'x-hub-signature': 'sha1=00' })(without('x-hub-signature-256')(asked)),
  ],
  ['a chunked body that is too large', 'BODY_TOO_LARGE', chunked(LARGE_BODY)],
  [
    'a signature without its prefix',
    'SIGNATURE_INVALID',
    withHeaders({ 'x-hub-signature-256': sign(GOOD_BODY).slice(7) }),
  ],
  ['no delivery id', 'WEBHOOK_HEADER_MISSING', without('x-github-delivery')],
  ['an empty event', 'WEBHOOK_HEADER_MISSING', withHeaders({ 'x-github-event': '' })],
  [
    'a delivery id of 201 characters',
    'WEBHOOK_HEADER_MISSING',
    withHeaders({ 'x-github-delivery': 'd'.repeat(201) }),
  ],
  ['an empty body', 'BODY_NOT_JSON', withBody('')],
  ['a JSON array', 'BODY_NOT_JSON', withBody('[]')],
  ['JSON null', 'BODY_NOT_JSON', withBody('null')],
  ['a JSON string', 'BODY_NOT_JSON', withBody('"x"')],
];

function goodRequest(path = PATH): Required<Asked> {
  return { method: 'POST', path, headers: deliveryHeaders(GOOD_BODY), body: GOOD_BODY };
}

/** The body of one fault must not be replaced by the next: applied from the last one up. */
function combine(first: Fault, second: Fault): Required<Asked> {
  return first(second(goodRequest()));
}

describe('github webhook: refusals', () => {
  for (const [title, code, fault] of [...FAULTS, ...MORE]) {
    test(`${title} is answered with ${code}`, async (t) => {
      const isOpen = fault !== NO_SECRET;
      const { port, events, store } = await startApp(t, { secrets: isOpen ? [SECRET] : [] });
      const answer = await ask(port, isOpen ? fault(goodRequest()) : goodRequest());
      assertProblem(answer, code);
      events.flush();
      const [event] = store.events.list({ limit: 10 }).rows;
      assert.deepEqual([event?.code, event?.status], [code, answer.status]);
      assert.equal(event?.request_id, answer.json['request_id']);
      assert.equal(store.tasks.list({ limit: 10 }).length, 0);
    });
  }

  for (const [index, [title, code, first]] of FAULTS.entries()) {
    for (const [other, , second] of FAULTS.slice(index + 1)) {
      test(`${title} comes before: ${other}`, async (t) => {
        const isClosed = first === NO_SECRET || second === NO_SECRET;
        const { port } = await startApp(t, { secrets: isClosed ? [] : [SECRET] });
        const asNothing: Fault = (asked) => asked;
        const asked = combine(
          first === NO_SECRET ? asNothing : first,
          second === NO_SECRET ? asNothing : second,
        );
        assertProblem(await ask(port, asked), code);
      });
    }
  }

  for (const suffix of ['', '/redeploy']) {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']) {
      test(`${method} ${PATH}${suffix} is answered with 405 and Allow`, async (t) => {
        const { port } = await startApp(t);
        const headers = { 'content-type': 'text/html', 'content-length': '0' };
        const answer = await ask(port, { method, path: PATH + suffix, headers });
        assert.equal(answer.status, 405);
        assert.equal(answer.headers.allow, 'POST');
        if (method !== 'HEAD') assertProblem(answer, 'METHOD_NOT_ALLOWED');
      });
    }
  }

  test('a body that is far too large gets its answer, and does not cost the connection', async (t) => {
    const { port, app } = await startApp(t);
    const body = Buffer.alloc(8_000_000, 'x');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    let connections = 0;
    app.server.on('connection', () => connections++);
    const { 'content-length': length, ...rest } = deliveryHeaders(body);
    for (const framing of [{ 'content-length': length }, { 'transfer-encoding': 'chunked' }]) {
      const headers = { ...rest, ...framing };
      const sent = request({ port, host: '127.0.0.1', method: 'POST', path: PATH, headers, agent });
      sent.end(body);
      const [response] = await once(sent, 'response');
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      assert.deepEqual([response.statusCode, JSON.parse(text).code], [413, 'BODY_TOO_LARGE']);
    }
    assert.equal(connections, 1);
  });

  test('a body of exactly the largest size is read', async (t) => {
    const { port } = await startApp(t);
    const frame = JSON.stringify({ pad: '' });
    const body = JSON.stringify({ pad: 'x'.repeat(MAX_BODY_BYTES - frame.length) });
    const headers = deliveryHeaders(body, { 'x-github-event': 'ping' });
    assert.equal((await ask(port, { method: 'POST', path: PATH, headers, body })).status, 200);
  });
});

function assertProblem(answer: Awaited<ReturnType<typeof ask>>, code: string): void {
  assert.ok(isErrorCode(code));
  const { status, sentence, hint } = ERRORS[code];
  const { detail, request_id, ...rest } = answer.json;
  assert.deepEqual(rest, {
    type: `urn:pod-upgrade-trigger:error:${code}`,
    title: sentence,
    status,
    code,
    hint,
  });
  assert.ok(detail === undefined || (typeof detail === 'string' && detail !== ''));
  assert.equal(answer.status, status);
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
  assert.match(String(request_id), /^req_[0-9a-z]{19}$/);
}
