import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { prepareDrain } from '../../../../app/http/drain.ts';
import { createEventStreams } from '../../../../app/http/event-streams.ts';
import { registerSelfUpdateStream } from '../../../../app/http/routes/self-update-stream.ts';
import { viewStatus } from '../../../../app/updates/view-self-update.ts';
import { until } from '../../../helpers/until.ts';
import { type FakeChannel, openFakeChannel } from '../../updates/fake-channel.ts';
import {
  openUpdate,
  updateRecord,
  updateStatus,
  writeUpdateFiles,
} from '../../updates/update-fixture.ts';
import { adminGate, ask, askAdmin, defer, TOKEN } from '../http-fixture.ts';
import { type Listener, listen } from '../sse-listener.ts';
import { startUpdateApp } from './self-update-fixture.ts';

const PATH = '/sse/self-update';
const LONG_MS = 20_000;

/** The application with the stream over a channel to a supervisor that the test plays. */
async function startStream(
  context: TestContext,
  {
    fake = openFakeChannel(),
    heartbeatMs = 60_000,
    speaks = true,
    maxStreams = 100,
    endWithinMs = 60_000,
  } = {},
) {
  const streams = createEventStreams({ heartbeatMs, maxStreams, endWithinMs });
  let stopListening = () => {};
  let drain: ReturnType<typeof prepareDrain> = () => Promise.resolve();
  if (speaks) fake.say(updateStatus());
  const app = await startUpdateApp(context, {
    channel: fake.channel,
    prepare: (prepared, selfUpdate) => {
      drain = prepareDrain(prepared);
      const gate = adminGate();
      stopListening = registerSelfUpdateStream(prepared, { selfUpdate, gate, streams });
    },
  });
  const close = () => {
    stopListening();
    streams.close();
  };
  defer(context, close);
  return { ...app, fake, close, drain: (limitMs: number) => drain(limitMs) };
}

describe('GET /sse/self-update', () => {
  test('is for admins only', async (t) => {
    const { port } = await startStream(t);
    const { status, json } = await ask(port, { path: PATH });
    assert.deepEqual([status, json['code']], [401, 'ADMIN_TOKEN_MISSING']);
    const inQuery = await ask(port, { path: `${PATH}?access_token=${TOKEN}` });
    assert.equal(inQuery.json['code'], 'ADMIN_TOKEN_MISSING');
  });

  test('says at once how it stands, then each change, with its number', async (t) => {
    const { port, fake } = await startStream(t);
    const listener = await listen(t, port, PATH);
    const { statusCode, headers } = listener.response;
    assert.deepEqual(
      [statusCode, headers['content-type'], headers['cache-control'], headers.connection],
      [200, 'text/event-stream; charset=utf-8', 'no-store', 'close'],
    );
    assert.match(String(headers['x-request-id']), /^req_/);
    const [first] = await listener.hear(1);
    assert.deepEqual(first, {
      retry: '2000',
      id: '1',
      event: 'status',
      data: JSON.stringify(viewStatus(updateStatus())),
    });
    const progress = { step: 'downloading', bytes: 5, total: 10 } as const;
    const changes = [
      updateStatus({ change: 2, update: openUpdate() }),
      updateStatus({ change: 3, update: openUpdate({ progress }) }),
      updateStatus({ change: 4 }),
    ];
    for (const change of changes) fake.say(change);
    const [, ...heard] = await listener.hear(4);
    assert.deepEqual(
      heard,
      changes.map((status) => ({
        id: String(status.change),
        event: 'status',
        data: JSON.stringify(viewStatus(status)),
      })),
    );
  });

  test('begins with the files where the supervisor has not spoken, and goes on with its word', async (t) => {
    const { port, fake, paths } = await startStream(t, { speaks: false });
    writeUpdateFiles(paths, { record: updateRecord({ state: 'trial' }) });
    const listener = await listen(t, port, PATH);
    const [first] = await listener.hear(1);
    const { source, update } = JSON.parse(first?.data ?? '');
    assert.deepEqual([first?.id, source, update.state], ['0', 'files', 'trial']);
    fake.say(updateStatus({ change: 9 }));
    const [, second] = await listener.hear(2);
    assert.equal(second?.id, '9');
  });

  test('a supervisor that speaks while the files are read is not talked over', async (t) => {
    const fake = openFakeChannel();
    const { port, selfUpdate } = await startStream(t, { fake, speaks: false });
    const asking = selfUpdate.status();
    fake.say(updateStatus({ change: 5 }));
    assert.equal((await asking).change, 5);
    const [first] = await (await listen(t, port, PATH)).hear(1);
    assert.equal(first?.id, '5');
  });

  test('shows now and then that it still lives', async (t) => {
    const { port } = await startStream(t, { heartbeatMs: 20 });
    const listener = await listen(t, port, PATH);
    await until('heartbeats', LONG_MS, () => (listener.text.match(/^: .*$/gm)?.length ?? 0) >= 3);
    assert.equal(listener.events().length, 1);
  });

  test('forgets who has gone', async (t) => {
    const { port, fake, app } = await startStream(t);
    const gone = await listen(t, port, PATH);
    await gone.hear(1);
    const closed = new Promise((resolve) =>
      app.server.once('connection', (socket) => {
        socket.once('close', resolve);
      }),
    );
    const second = await listen(t, port, PATH);
    await second.hear(1);
    second.response.destroy();
    await closed;
    fake.say(updateStatus({ change: 2 }));
    await gone.hear(2);
    assert.equal(second.events().length, 1);
  });
});

describe('the limits of the stream', () => {
  test('one listener too many is refused, and taken once another has gone', async (t) => {
    const { port } = await startStream(t, { maxStreams: 3 });
    const listeners = await Promise.all(Array.from({ length: 3 }, () => listen(t, port, PATH)));
    for (const { response } of listeners) assert.equal(response.statusCode, 200);
    const { status, json } = await askAdmin(port, PATH);
    assert.deepEqual([status, json['code']], [503, 'TOO_MANY_LISTENERS']);
    listeners[0]?.response.destroy();
    await until('a free place', LONG_MS, async () => {
      const { response } = await listen(t, port, PATH);
      return response.statusCode === 200;
    });
  });

  test('who does not read is dropped, and the others hear on', async (t) => {
    const { port, fake } = await startStream(t);
    const reader = await listen(t, port, PATH);
    await reader.hear(1);
    const socket = connect(port, '127.0.0.1');
    defer(t, () => socket.destroy());
    socket.on('error', () => {});
    socket.write(
      `GET ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.pause();
    const closed = once(socket, 'close');
    const isDropped = sayMuch(fake, reader);
    assert.ok(await isDropped, 'the reader heard everything');
    socket.resume();
    await closed;
    assert.equal(reader.isOver, false);
  });
});

/** One that never reads, for whom a little waits: less than it is dropped for at once. */
async function openStuck(
  context: TestContext,
  { app, port, fake }: Awaited<ReturnType<typeof startStream>>,
): Promise<ServerResponse> {
  const asked = once(app.server, 'request') as Promise<[unknown, ServerResponse]>;
  const socket = connect(port, '127.0.0.1');
  defer(context, () => socket.destroy());
  socket.on('error', () => {});
  socket.write(
    `GET ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`,
  );
  const [, response] = await asked;
  await once(socket, 'data');
  socket.pause();
  const detail = 'x'.repeat(100_000);
  const failure = { code: 'UPDATE_START_FAILED', detail } as const;
  // Until the kernel takes no more.
  for (let change = 2; response.writableLength === 0; change++) {
    fake.say(updateStatus({ change, update: openUpdate({ failure }) }));
    await new Promise(setImmediate);
  }
  return response;
}

describe('one that does not read', () => {
  test('does not keep its place on a quiet stream', async (t) => {
    const stream = await startStream(t, { heartbeatMs: 50, maxStreams: 1 });
    const response = await openStuck(t, stream);
    assert.equal(response.destroyed, false);
    await until('its end', LONG_MS, () => response.destroyed);
    const { response: another } = await listen(t, stream.port, PATH);
    assert.equal(another.statusCode, 200);
  });

  test('nor after the end of its stream', async (t) => {
    const stream = await startStream(t, { endWithinMs: 100 });
    const response = await openStuck(t, stream);
    stream.close();
    await until('its end', LONG_MS, () => response.destroyed);
  });
});

/** Says 20 MB, more than the kernel takes for one who does not read, as fast as the reader hears it. */
async function sayMuch(fake: FakeChannel, reader: Listener): Promise<boolean> {
  const detail = 'x'.repeat(50_000);
  const failure = { code: 'UPDATE_START_FAILED', detail } as const;
  for (let change = 2; change < 400; change += 1) {
    fake.say(updateStatus({ change, update: openUpdate({ failure }) }));
    if (change % 10 === 0) {
      await until(`change ${change}`, LONG_MS, () => reader.text.includes(`id: ${change}\n`));
    }
  }
  return reader.text.includes('id: 390\n');
}

describe('the end of the stream', () => {
  test('a stop does not wait for who listens, and they see the end', async (t) => {
    const { port, fake, close, drain } = await startStream(t);
    const listener = await listen(t, port, PATH);
    await listener.hear(1);
    close();
    const from = performance.now();
    await drain(LONG_MS);
    assert.ok(performance.now() - from < 5_000);
    await until('the end', LONG_MS, () => listener.isOver);
    assert.equal(listener.response.complete, true);
    assert.equal(fake.listeners(), 0);
  });

  test('nobody is taken any more afterwards', async (t) => {
    const { port, close } = await startStream(t);
    close();
    const { status, json } = await askAdmin(port, PATH);
    assert.deepEqual([status, json['code']], [503, 'MAINTENANCE']);
  });

  test('who does not read is cut off', async (t) => {
    const { app, port, fake, close, drain } = await startStream(t);
    const responses: ServerResponse[] = [];
    app.server.on('request', (_request, response) => responses.push(response));
    const socket = connect(port, '127.0.0.1');
    defer(t, () => socket.destroy());
    socket.on('error', () => {});
    socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    await once(socket, 'data');
    socket.pause();
    const failure = { code: 'UPDATE_START_FAILED', detail: 'x'.repeat(50_000) } as const;
    const status = updateStatus({ update: openUpdate({ failure }) });
    // Until the kernel takes no more of it: more than that is dropped by itself.
    await until('a full socket', LONG_MS, async () => {
      fake.say(status);
      await new Promise(setImmediate);
      return (responses[0]?.writableLength ?? 0) > 0;
    });
    assert.equal(responses[0]?.destroyed, false);
    close();
    const from = performance.now();
    await drain(LONG_MS);
    assert.ok(performance.now() - from < 5_000);
  });
});
