import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { matchAddresses, parseAddressRanges } from '../../../shared/config/address-ranges.ts';

describe('ranges of addresses', () => {
  const ROWS: readonly (readonly [ranges: string, address: string | undefined, is: boolean])[] = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:11.1.2.3', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['::1, 192.168.7.9/32', '::1', true],
    ['::1, 192.168.7.9/32', '192.168.7.9', true],
    ['fd00::/8', 'fdab::1', true],
    ['fd00::/8', 'fe80::1', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['', '127.0.0.1', false],
    ['0.0.0.0/0', undefined, false],
    ['0.0.0.0/0', '', false],
    ['0.0.0.0/0', 'localhost', false],
  ];
  for (const [ranges, address, is] of ROWS) {
    test(`${address} is ${is ? '' : 'not '}in ${ranges || 'none'}`, () => {
      const parsed = parseAddressRanges(ranges);
      assert.ok(parsed);
      assert.equal(matchAddresses(parsed)(address), is);
    });
  }

  for (const text of [
    'localhost',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0/8',
    '10.0.0.1/',
    '1.2.3.4/8/8',
    'fe80::1%eth0',
    '/8',
    '10.0.0.1/-1',
    'proxy.example',
  ]) {
    test(`${text} is neither an address nor a range`, () => {
      assert.equal(parseAddressRanges(`127.0.0.1 ${text}`), undefined);
    });
  }
});
