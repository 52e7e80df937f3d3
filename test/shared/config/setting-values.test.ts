import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  absolutePath,
  parseCron,
  parseDatabasePath,
  parseFlag,
  parsePublicKeys,
  parseReleaseBase,
  parseUnits,
  parseWebUrl,
  within,
} from '../../../shared/config/setting-values.ts';

const KEY = `${'A'.repeat(43)}=`;
const OTHER_KEY = `${'b+/'.repeat(14)}c=`;

type Row = readonly [raw: string, value: unknown];

function readsAs(parse: (raw: string) => unknown, rows: readonly Row[]): void {
  for (const [raw, value] of rows)
    test(`${JSON.stringify(raw)} is ${value === undefined ? 'refused' : JSON.stringify(value)}`, () =>
      assert.deepEqual(parse(raw), value));
  test('whatever comes, never throws', () => {
    const near = fc.tuple(fc.constantFrom(...rows.map(([raw]) => raw)), fc.string());
    const texts = fc.oneof(
      fc.string(),
      near.map((parts) => parts.join('')),
    );
    fc.assert(fc.property(texts, (raw) => void parse(raw)));
  });
}

describe('parseCron', () =>
  readsAs(parseCron, [
    ['0 4 * * *', '0 4 * * *'],
    [' 0 4 * * * ', '0 4 * * *'],
    ['30 0 4 * * *', '30 0 4 * * *'],
    ['*/15 2-5 * JAN,jul MON-FRI', '*/15 2-5 * JAN,jul MON-FRI'],
    ['0 4 L * *', '0 4 L * *'],
    ['@daily', '@daily'],
    ['', undefined],
    ['* * * *', undefined],
    ['0 0 4 * * * 2030', undefined],
    ['60 * * * *', undefined],
    ['every day', undefined],
    // A date is no schedule, and this day never comes.
    ['2030-01-01T00:00:00', undefined],
    ['0 0 31 2 *', undefined],
  ]));

describe('parseWebUrl', () =>
  readsAs(parseWebUrl, [
    ['https://example.org', 'https://example.org'],
    ['https://example.org/', 'https://example.org'],
    ['https://example.org/a/b//', 'https://example.org/a/b'],
    ['HTTPS://Example.ORG:8443/a', 'https://example.org:8443/a'],
    ['http://localhost:8080', 'http://localhost:8080'],
    ['http://127.0.0.1', 'http://127.0.0.1'],
    ['http://127.9.8.7:1/a', 'http://127.9.8.7:1/a'],
    ['http://[::1]:80/a', 'http://[::1]/a'],
    // Other spellings of the same address come out as that address.
    ['http://2130706433/', 'http://127.0.0.1'],
    ['http://example.org', undefined],
    ['http://127.0.0.1.example.org', undefined],
    ['http://localhost.example.org', undefined],
    ['http://10.0.0.1', undefined],
    ['http://[::2]', undefined],
    ['https://user@example.org', undefined],
    ['https://user:secret@example.org', undefined],
    ['https://:secret@example.org', undefined],
    ['https://example.org/?token=x', undefined],
    ['https://example.org/#x', undefined],
    ['file:///srv', undefined],
    ['ftp://example.org', undefined],
    ['javascript:alert(1)', undefined],
    ['example.org', undefined],
    ['', undefined],
  ]));

describe('parseReleaseBase', () =>
  readsAs(parseReleaseBase, [
    ['/srv/releases', '/srv/releases'],
    ['/srv/releases//', '/srv/releases'],
    ['/', '/'],
    ['/srv/mit leer/ä', '/srv/mit leer/ä'],
    ['file:///srv/mit%20leer/%C3%A4/', '/srv/mit leer/ä'],
    ['file:///', '/'],
    ['https://mirror.example.org/podup/', 'https://mirror.example.org/podup'],
    ['http://localhost:1/x', 'http://localhost:1/x'],
    ['/srv/\0', undefined],
    ['file:///srv/%00', undefined],
    ['file:///srv/%', undefined],
    ['file:///srv/%ff', undefined],
    ['file://host/srv', undefined],
    ['file:///srv?x', undefined],
    ['file:///srv#x', undefined],
    ['file:srv', undefined],
    ['srv/releases', undefined],
    ['http://mirror.example.org', undefined],
    ['', undefined],
  ]));

describe('parsePublicKeys', () =>
  readsAs(parsePublicKeys, [
    ['', []],
    [' \n', []],
    [`main:${KEY}`, [{ id: 'main', base64: KEY }]],
    [
      ` a.b-c_1:${KEY}\n\tnext:${OTHER_KEY} `,
      [
        { id: 'a.b-c_1', base64: KEY },
        { id: 'next', base64: OTHER_KEY },
      ],
    ],
    [`main:${KEY} main:${OTHER_KEY}`, undefined],
    [`main:${KEY} nonsense`, undefined],
    [KEY, undefined],
    [`:${KEY}`, undefined],
    [`main:${KEY.slice(1)}`, undefined],
    [`main:A${KEY}`, undefined],
    [`main:${'A'.repeat(44)}`, undefined],
    [`main:${'_'.repeat(43)}=`, undefined],
    [`${'x'.repeat(65)}:${KEY}`, undefined],
    [`main:${KEY},next:${OTHER_KEY}`, undefined],
  ]));

test('a key of 32 bytes is always taken', () => {
  const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(keys, (bytes) => {
      const base64 = Buffer.from(bytes).toString('base64');
      assert.deepEqual(parsePublicKeys(`k:${base64}`), [{ id: 'k', base64 }]);
    }),
  );
});

describe('parseFlag', () =>
  readsAs(parseFlag, [
    ...['1', 'true', 'yes', 'on', ' TRUE ', 'On'].map((raw): Row => [raw, true]),
    ...['0', 'false', 'no', 'off', ' FALSE\n'].map((raw): Row => [raw, false]),
    ...['', ' ', '2', 'y', 'enabled', 'truetrue'].map((raw): Row => [raw, undefined]),
  ]));

describe('parseUnits', () =>
  readsAs(parseUnits, [
    ['', []],
    [' , ,', []],
    ['web', ['web.service']],
    ['web, db.service\nweb', ['web.service', 'db.service']],
    ['web ../etc', undefined],
  ]));

describe('parseDatabasePath', () =>
  readsAs(parseDatabasePath, [
    ['/x/y.db', '/x/y.db'],
    ['sqlite:/x/y.db', '/x/y.db'],
    ['sqlite:///x/y.db', '/x/y.db'],
    ['sqlite:x.db', undefined],
    ['sqlite:///x.db?mode=memory', undefined],
    ['', undefined],
  ]));

describe('absolutePath', () =>
  readsAs(
    (raw) => absolutePath.safeParse(raw).data,
    [
      ['/a', '/a'],
      ['/a/b//', '/a/b'],
      ['/', '/'],
      ['//', '/'],
      ['a', undefined],
      ['', undefined],
      ['/a\0b', undefined],
    ],
  ));

describe('within', () =>
  readsAs(
    (raw) => within(5, 10).safeParse(raw).data,
    [
      ['5', 5],
      [' 10 ', 10],
      ['4', undefined],
      ['11', undefined],
      ['5.5', undefined],
      ['0x6', undefined],
      ['', undefined],
    ],
  ));
