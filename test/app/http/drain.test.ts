import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { prepareDrain } from '../../../app/http/drain.ts';
import { ask, startApp } from './http-fixture.ts';

const LIMIT_MS = 20_000;
const JSON_TYPE = { 'content-type': 'application/json' };

/** An application with a drain, and a route that answers when the test says so. */
async function startDraining(context: Parameters<typeof startApp>[0]) {
  const held: (() => void)[] = [];
  const arrivals = new EventTarget();
  let drain: ReturnType<typeof prepareDrain> = () => Promise.resolve();
  const { port, app } = await startApp(context, {
    prepare: (prepared) => {
      drain = prepareDrain(prepared);
      prepared.post('/', (_request, reply) => reply.send('done'));
      prepared.post('/held', () => {
        const answered = new Promise((resolve) => held.push(() => resolve('late')));
        arrivals.dispatchEvent(new Event('arrived'));
        return answered;
      });
    },
  });
  return {
    port,
    app,
    held,
    arrived: () => once(arrivals, 'arrived'),
    drain: (ms: number, hurry?: AbortSignal) => drain(ms, hurry),
  };
}

/** Posts on one connection until the server asks to close it; how many answers came. */
async function postUntilClosed(port: number, agent: Agent): Promise<number> {
  for (let answers = 1; ; answers++) {
    const sent = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/',
      agent,
      headers: JSON_TYPE,
    });
    sent.end('{}');
    const [response] = await once(sent, 'response');
    assert.equal(response.statusCode, 200);
    let text = '';
    for await (const chunk of response) text += chunk;
    assert.equal(text, 'done');
    if (response.headers.connection === 'close') return answers;
  }
}

/** Accepted connections, so that none is left in the queue of a socket that is about to be closed. */
async function whenServed(app: FastifyInstance, count: number, act: () => void): Promise<void> {
  const served = Promise.withResolvers<void>();
  let left = count;
  app.server.on('request', () => {
    if (--left === 0) served.resolve();
  });
  act();
  await served.promise;
}

describe('drain', () => {
  test('under continuous posts on kept connections every request is answered, and it ends', async (t) => {
    const { port, app, drain } = await startDraining(t);
    const agents = Array.from({ length: 20 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    t.after(() => {
      for (const agent of agents) agent.destroy();
    });
    let posting: Promise<number>[] = [];
    await whenServed(app, 200, () => {
      posting = agents.map((agent) => postUntilClosed(port, agent));
    });
    const drained = drain(LIMIT_MS);
    const answers = await Promise.all(posting);
    await drained;
    assert.ok(
      answers.every((count) => count > 1),
      String(answers),
    );
    await assert.rejects(ask(port, { path: '/' }), /ECONNREFUSED/);
  });

  test('requests that are under way on fresh connections are answered before it ends', async (t) => {
    const { port, held, arrived, drain } = await startDraining(t);
    const first = arrived();
    const asked = ask(port, { method: 'POST', path: '/held' });
    await first;
    let isDrained = false;
    const drained = drain(LIMIT_MS).then(() => {
      isDrained = true;
    });
    await assert.rejects(ask(port, { path: '/' }), /ECONNREFUSED/);
    assert.equal(isDrained, false);
    for (const release of held) release();
    const answer = await asked;
    assert.deepEqual([answer.text, answer.headers.connection], ['late', 'close']);
    await drained;
  });

  test('a kept connection that has been idle may still bring a request when the drain begins', async (t) => {
    const { port, drain, app } = await startDraining(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const send = async () => {
      const sent = request({
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/',
        agent,
        headers: JSON_TYPE,
      });
      sent.end('{}');
      const [response] = await once(sent, 'response');
      response.resume();
      await once(response, 'end');
      return response;
    };
    await send();
    const drained = drain(LIMIT_MS);
    const answer = await send();
    assert.deepEqual([answer.statusCode, answer.headers.connection], [200, 'close']);
    await drained;
    assert.equal(app.server.listening, false);
  });

  test('an idle connection that brings nothing is closed and does not hold it up', {
    timeout: 20_000,
  }, async (t) => {
    const { port, drain, app } = await startDraining(t);
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const sent = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/',
      agent,
      headers: JSON_TYPE,
    });
    sent.end('{}');
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
    const connections = Promise.withResolvers<number>();
    app.server.getConnections((error, count) =>
      error ? connections.reject(error) : connections.resolve(count),
    );
    assert.equal(await connections.promise, 1);
    // The limit would end the drain as well, but far behind the end of this test.
    await drain(600_000);
  });

  for (const isLate of [false, true])
    test(`in a hurry ${isLate ? 'that begins later ' : ''}nobody is waited for`, {
      timeout: 20_000,
    }, async (t) => {
      const { port, app, drain } = await startDraining(t);
      const agent = new Agent({ keepAlive: true });
      t.after(() => agent.destroy());
      const sent = request({ port, host: '127.0.0.1', path: '/', method: 'POST', agent });
      sent.setHeader('content-type', 'application/json').end('{}');
      const [response] = await once(sent, 'response');
      await once(response.resume(), 'end');
      const silent = connect(port, '127.0.0.1');
      t.after(() => silent.destroy());
      silent.write('POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
      await once(app.server, 'request');
      silent.resume();
      const hurry = new AbortController();
      if (!isLate) hurry.abort();
      const drained = drain(600_000, hurry.signal);
      hurry.abort();
      await drained;
    });

  test('in a hurry what is under way is still answered', async (t) => {
    const { port, held, arrived, drain } = await startDraining(t);
    const first = arrived();
    const asked = ask(port, { method: 'POST', path: '/held' });
    await first;
    const drained = drain(LIMIT_MS, AbortSignal.abort());
    for (const release of held) release();
    assert.equal((await asked).text, 'late');
    await drained;
  });

  for (const [title, bytes] of [
    ['that sends half a request', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123'],
    ['that waits for an answer', 'POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'],
  ] as const) {
    test(`the limit cuts off a client ${title}`, async (t) => {
      const { port, app, drain } = await startDraining(t);
      const socket = connect(port, '127.0.0.1');
      t.after(() => socket.destroy());
      socket.write(bytes);
      await once(app.server, 'request');
      socket.resume();
      const cut = once(socket, 'close');
      await drain(50);
      await cut;
    });
  }
});
