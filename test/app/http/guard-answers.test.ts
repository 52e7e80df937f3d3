import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { GUARDS, guardAnswers, guardsOf } from '../../../app/http/guard-answers.ts';
import { isGuarded } from '../../helpers/guarded.ts';
import { ask } from './http-fixture.ts';

async function answeredBy(
  t: TestContext,
  answer: (response: ServerResponse) => void,
  guards = GUARDS,
): Promise<IncomingHttpHeaders> {
  const server = createServer({ ServerResponse: guardAnswers(guards) }, (_request, response) =>
    answer(response),
  );
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return (await ask(port, { path: '/', headers: { connection: 'close' } })).headers;
}

describe('a guarded answer', () => {
  for (const [how, answer] of [
    ['nothing', (response) => response.end()],
    ['a status', (response) => response.writeHead(204).end()],
    ['a status with its phrase', (response) => response.writeHead(204, 'Nothing').end()],
    ['headers', (response) => response.writeHead(200, { 'x-a': 'b' }).end()],
    ['phrase and headers', (response) => response.writeHead(200, 'Fine', { 'x-a': 'b' }).end()],
    ['a list of headers', (response) => response.writeHead(200, ['x-a', 'b']).end()],
    ['a header set before', (response) => response.setHeader('x-a', 'b').end()],
  ] as readonly [string, (response: ServerResponse) => void][]) {
    test(`says it to browsers where its head is given as ${how}`, async (t) => {
      const headers = await answeredBy(t, answer);
      isGuarded(headers, how);
      if (/header/.test(how)) assert.equal(headers['x-a'], 'b');
    });
  }

  test('keeps what the answer itself says of a page', async (t) => {
    const own = { 'content-security-policy': "default-src 'self'" };
    const headers = await answeredBy(t, (response) => response.writeHead(200, own).end());
    assert.equal(headers['content-security-policy'], "default-src 'self'");
    assert.equal(headers['x-content-type-options'], 'nosniff');
  });

  for (const [base, expected] of [
    [undefined, undefined],
    ['http://deploy.example.com', undefined],
    ['https://deploy.example.com/hooks', 'max-age=63072000'],
  ] as const) {
    test(`with ${base ?? 'no'} public address asks ${expected ? '' : 'not '}for https`, async (t) => {
      const headers = await answeredBy(t, (response) => response.end(), guardsOf(base));
      assert.equal(headers['strict-transport-security'], expected);
    });
  }
});
