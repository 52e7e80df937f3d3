import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { BoundSocket, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { localAddress } from '../../../supervisor/socket/local-address.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const IPV6 = existsSync('/proc/net/if_inet6');

/** The descriptor of a socket that listens there, and the port that the kernel gave. */
async function listen(context: TestContext, where: object) {
  const server = createServer().listen(where);
  context.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return { fd, port: typeof address === 'object' ? address?.port : undefined };
}

describe('localAddress', () => {
  const HOSTS = ['127.0.0.1', '127.1.2.3', '0.0.0.0', ...(IPV6 ? ['::1', '::'] : [])];
  for (const host of HOSTS) {
    test(`of what listens on ${host}`, async (t) => {
      const { fd, port } = await listen(t, { host, port: 0, ipv6Only: true });
      assert.deepEqual(localAddress(fd), { host, port });
    });
  }

  test('of an IPv6 address in full it gives one that means the same', async (t) => {
    if (!IPV6) return;
    const { fd, port } = await listen(t, { host: '::ffff:127.0.0.1', port: 0 });
    const found = localAddress(fd);
    assert.deepEqual(found, { host: '0:0:0:0:0:ffff:7f00:1', port });
    assert.equal(new URL(`http://[${found?.host}]`).hostname, '[::ffff:7f00:1]');
  });

  test('of a socket that is bound but does not listen yet the kernel says nothing', (t) => {
    const bound = new BoundSocket({ host: '127.0.0.1', port: 0 });
    t.after(() => bound.close());
    assert.equal(localAddress(bound.fd()), undefined);
  });

  test('of what is no socket for the network there is none', async (t) => {
    const path = join(makeTempFolder(t), 'socket');
    const { fd } = await listen(t, { path });
    assert.equal(localAddress(fd), undefined);
    assert.equal(localAddress(openSync('/dev/null', 'r')), undefined);
    assert.equal(localAddress(9_999), undefined);
  });
});
