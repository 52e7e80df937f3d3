import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { loadSystemCallsNow } from '../../../shared/native/system-calls.ts';
import {
  adoptSocket,
  bindSocket,
  bindSocketWithin,
} from '../../../supervisor/socket/bind-socket.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };
const OWN_PID = 4711;

/** Somebody who listens already. */
async function occupy(context: TestContext) {
  const server = createServer().listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return { server, fd, where: { host: '127.0.0.1', port: address.port } };
}

describe('bindSocket', () => {
  for (const environment of [{}, { LISTEN_FDS: '1', LISTEN_PID: '4712' }, { LISTEN_PID: '4711' }]) {
    test(`binds at the address when the environment says ${JSON.stringify(environment)}`, (t) => {
      const socket = bindSocket(ANY_PORT, environment, OWN_PID);
      assert.ok(socket.ok);
      t.after(() => socket.value.close());
      assert.match(socket.value.address, /^127\.0\.0\.1:[1-9]\d*$/);
      assert.ok(socket.value.fd > 2);
    });
  }

  test('an address in use is a failure that names address and cause', async (t) => {
    const { where } = await occupy(t);
    assert.deepEqual(bindSocket(where, {}, OWN_PID), {
      ok: false,
      failure: { code: 'SOCKET_UNAVAILABLE', detail: `127.0.0.1:${where.port} (EADDRINUSE).` },
    });
  });

  test('an address that is no address of this host is a failure', () => {
    const socket = bindSocket({ host: '192.0.2.1', port: 0 }, {}, OWN_PID);
    assert.ok(!socket.ok);
    assert.match(socket.failure.detail, /EADDRNOTAVAIL/);
  });

  for (const [count, detail] of [
    ['1', 'Descriptor 3 of systemd is no socket.'],
    ['2', 'systemd passed 2 sockets where one is expected.'],
  ] as const) {
    test(`LISTEN_FDS=${count} is refused when descriptor 3 is not the one socket`, () => {
      const environment = { LISTEN_FDS: count, LISTEN_PID: '4711' };
      assert.deepEqual(bindSocket(ANY_PORT, environment, OWN_PID), {
        ok: false,
        failure: { code: 'SOCKET_UNAVAILABLE', detail },
      });
    });
  }
});

describe('bindSocketWithin', () => {
  test('waits for an address that is in use', async (t) => {
    const { server, where } = await occupy(t);
    const waiting = bindSocketWithin(where, {}, OWN_PID, 10_000);
    server.close();
    const socket = await waiting;
    assert.ok(socket.ok);
    t.after(() => socket.value.close());
    assert.equal(socket.value.address, `127.0.0.1:${where.port}`);
  });

  test('gives up at its limit, and at once where waiting does not help', async (t) => {
    const { where } = await occupy(t);
    const startedAtMs = performance.now();
    const late = await bindSocketWithin(where, {}, OWN_PID, 100);
    assert.match(late.ok ? '' : late.failure.detail, /EADDRINUSE/);
    assert.ok(performance.now() - startedAtMs >= 100);
    const never = await bindSocketWithin({ host: '192.0.2.1', port: 0 }, {}, OWN_PID, 600_000);
    assert.match(never.ok ? '' : never.failure.detail, /EADDRNOTAVAIL/);
  });
});

describe('adoptSocket', () => {
  test('takes a socket over by its descriptor, says where it is reached, and closes it', async (t) => {
    const { fd, where } = await occupy(t);
    const calls = loadSystemCallsNow();
    assert.ok(calls.ok);
    const handedOver = 321;
    calls.value.duplicate(fd, handedOver);
    const adopted = adoptSocket(handedOver);
    assert.ok(adopted.ok);
    assert.deepEqual(
      [adopted.value.fd, adopted.value.address],
      [handedOver, `127.0.0.1:${where.port}`],
    );
    adopted.value.close();
    assert.throws(() => fstatSync(handedOver), { code: 'EBADF' });
  });

  test('refuses what is no socket, or not there', () => {
    const file = openSync('/dev/null', 'r');
    for (const fd of [file, 9_999]) {
      assert.deepEqual(adoptSocket(fd), {
        ok: false,
        failure: {
          code: 'SOCKET_UNAVAILABLE',
          detail: `Descriptor ${fd}, which was handed over, is no socket.`,
        },
      });
    }
    closeSync(file);
  });
});
