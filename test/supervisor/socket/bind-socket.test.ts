import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { bindSocket } from '../../../supervisor/socket/bind-socket.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };
const OWN_PID = 4711;

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
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    assert.deepEqual(bindSocket({ host: '127.0.0.1', port: address.port }, {}, OWN_PID), {
      ok: false,
      failure: { code: 'SOCKET_UNAVAILABLE', detail: `127.0.0.1:${address.port} (EADDRINUSE).` },
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
