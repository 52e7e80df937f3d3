import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatHttpAddress,
  isLoopback,
  parseHttpAddress,
} from '../../../shared/contract/http-address.ts';

describe('parseHttpAddress', () => {
  type Row = readonly [raw: string, host: string, port: number];
  const ROWS: readonly Row[] = [
    ['127.0.0.1:25111', '127.0.0.1', 25111],
    [' 0.0.0.0:0 ', '0.0.0.0', 0],
    ['255.255.255.255:65535', '255.255.255.255', 65_535],
    ['localhost:80', '127.0.0.1', 80],
    ['[::1]:80', '::1', 80],
    ['[::]:80', '::', 80],
    ['[2001:DB8::a]:443', '2001:DB8::a', 443],
    ['[::ffff:10.0.0.1]:80', '::ffff:10.0.0.1', 80],
  ];
  for (const [raw, host, port] of ROWS)
    test(`reads ${raw}`, () => assert.deepEqual(parseHttpAddress(raw), { host, port }));

  const REFUSED = [
    '',
    '80',
    ':80',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:123456',
    '127.0.0.1:-1',
    '127.0.0.1:8a',
    '256.0.0.1:80',
    '1.2.3:80',
    '1.2.3.4.5:80',
    // Octal for inet_aton(3), decimal for others: nobody knows which address is meant.
    '127.0.0.01:80',
    '010.0.0.1:80',
    '::1:80',
    '[::1]',
    '[]:80',
    '[127.0.0.1]:80',
    '[1:2]:80',
    '[:]:80',
    '[:::]:80',
    '[1::2::3]:80',
    '[12345::]:80',
    '[::1.2.3]:80',
    '[fe80::1%eth0]:80',
    '[x@[::1]:80',
    'example.org:80',
    'http://127.0.0.1:80',
    '*:80',
  ];
  for (const raw of REFUSED)
    test(`refuses ${raw || 'an empty text'}`, () => assert.equal(parseHttpAddress(raw), undefined));

  test('accepts nothing that the system would have to look up', () => {
    const hosts = fc.oneof(
      fc.stringMatching(/^[0-9.]{1,15}$/),
      fc.stringMatching(/^\[[0-9a-f:.]{1,20}\]$/),
      fc
        .array(fc.constantFrom('0', '1', '01', '199', '255', '256', '99'), { maxLength: 5 })
        .map((p) => p.join('.')),
      fc
        .array(fc.constantFrom(':', '::', 'ffff', '0', '1.2.3.4', 'g'), { maxLength: 9 })
        .map((p) => `[${p.join('')}]`),
    );
    fc.assert(
      fc.property(hosts, (host) => {
        const address = parseHttpAddress(`${host}:80`);
        if (address) assert.notEqual(isIP(address.host), 0, host);
      }),
      { numRuns: 5000 },
    );
  });

  test('reads back every address that is written', () => {
    const hosts = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(hosts, fc.nat(65_535), (host, port) => {
        const address = { host, port };
        assert.deepEqual(parseHttpAddress(formatHttpAddress(address)), address);
      }),
    );
  });
});

describe('isLoopback', () => {
  const ROWS: readonly (readonly [string, boolean])[] = [
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.127.0.1', false],
  ];
  for (const [host, expected] of ROWS)
    test(`${host} is ${expected ? '' : 'not '}loopback`, () =>
      assert.equal(isLoopback({ host, port: 1 }), expected));
});
