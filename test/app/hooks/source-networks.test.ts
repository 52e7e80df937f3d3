import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openSourceNetworks } from '../../../app/hooks/source-networks.ts';

describe('the networks that a hook may be called from', () => {
  const ROWS: readonly [networks: readonly string[], address: string | undefined, has: boolean][] =
    [
      [[], '192.0.2.1', true],
      [[], undefined, true],
      [['192.0.2.0/24'], '192.0.2.77', true],
      [['192.0.2.0/24'], '192.0.3.1', false],
      [['192.0.2.0/24'], '::ffff:192.0.2.77', true],
      [['192.0.2.0/24'], '::FFFF:192.0.2.77', true],
      [['192.0.2.0/24'], '::ffff:192.0.3.1', false],
      [['192.0.2.1'], '192.0.2.1', true],
      [['192.0.2.1'], '192.0.2.2', false],
      [['0.0.0.0/0'], '203.0.113.5', true],
      [['2001:db8::/32'], '2001:db8:1::5', true],
      [['2001:db8::/32'], '2001:db9::5', false],
      [['fe80::/10'], 'fe80::1%eth0', true],
      [['10.0.0.0/8', '2001:db8::1'], '2001:db8:0:0::1', true],
      [['10.0.0.0/8'], undefined, false],
      [['10.0.0.0/8'], '', false],
      [['10.0.0.0/8'], 'localhost', false],
      [['no address'], '10.0.0.1', false],
    ];
  for (const [networks, address, has] of ROWS) {
    test(`${networks.join(' ') || 'none'} ${has ? 'has' : 'has not'} ${address}`, () => {
      assert.equal(openSourceNetworks(networks)(address), has);
    });
  }
});
