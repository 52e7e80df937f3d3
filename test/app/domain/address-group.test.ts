import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressGroup } from '../../../app/domain/address-group.ts';

const GROUPS: readonly (readonly [address: string, group: string])[] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['::1', '::1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['2001:db8:0:0:ffff::', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['unknown', 'unknown'],
  ['x'.repeat(500), 'x'.repeat(100)],
  ['', ''],
];

for (const [address, group] of GROUPS) {
  test(`${address.slice(0, 40)} counts as ${group.slice(0, 40)}`, () => {
    assert.equal(addressGroup(address), group);
  });
}
