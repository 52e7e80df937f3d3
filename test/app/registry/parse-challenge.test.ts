import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseChallenges } from '../../../app/registry/parse-challenge.ts';

type Plain = readonly (readonly [scheme: string, parameters: Record<string, string>])[];

const READ: readonly (readonly [title: string, header: string, expected: Plain])[] = [
  [
    'the challenge of a registry is read',
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull"',
    [
      [
        'bearer',
        {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:a/b:pull',
        },
      ],
    ],
  ],
  [
    'commas and equal signs in quotes separate nothing',
    'Bearer realm="https://a/t?x=1,y=2",scope="repository:a:pull,push"',
    [['bearer', { realm: 'https://a/t?x=1,y=2', scope: 'repository:a:pull,push' }]],
  ],
  [
    'an escaped character stands for itself',
    String.raw`Basic realm="say \"hi\", \\ friend"`,
    [['basic', { realm: String.raw`say "hi", \ friend` }]],
  ],
  [
    'schemes and names have no case',
    'bEARER Realm="R",SERVICE=s',
    [['bearer', { realm: 'R', service: 's' }]],
  ],
  [
    'several challenges stand in one list',
    'Negotiate, Basic realm="a", charset="UTF-8", Bearer realm="b"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'a', charset: 'UTF-8' }],
      ['bearer', { realm: 'b' }],
    ],
  ],
  [
    'a token after the scheme is passed over',
    'Negotiate YII/+a==, Basic realm=x',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [
    'white space around the equal sign is allowed',
    'Basic realm = "x"',
    [['basic', { realm: 'x' }]],
  ],
  ['empty elements are passed over', ' , Basic ,, realm="x" , ', [['basic', { realm: 'x' }]]],
  [
    'of a repeated parameter the first counts',
    'Basic realm=a, realm=b',
    [['basic', { realm: 'a' }]],
  ],
  ['an empty quoted string is a value', 'Basic realm=""', [['basic', { realm: '' }]]],
];

const REFUSED: readonly (readonly [title: string, header: string])[] = [
  ['an empty header', ''],
  ['separators alone', ' , ,'],
  ['a parameter without a scheme', 'realm="x"'],
  ['a parameter before the first scheme', 'realm="x", Basic realm="y"'],
  ['a quoted string without an end', 'Bearer realm="https://a/t'],
  ['an escape without a character', 'Bearer realm="x\\'],
  ['text right behind a quoted string', 'Bearer realm="x"service="y"'],
  ['bytes that are in no grammar', '\u0000\u0001{}'],
];

describe('parseChallenges', () => {
  for (const [title, header, expected] of READ) {
    test(title, () => {
      const plain = parseChallenges(header)?.map(({ scheme, parameters }) => [
        scheme,
        Object.fromEntries(parameters),
      ]);
      assert.deepEqual(plain, expected);
    });
  }

  for (const [title, header] of REFUSED) {
    test(`${title} cannot be read`, () => {
      assert.equal(parseChallenges(header), undefined);
    });
  }

  test('a hostile header of 16 KiB is read in linear time', () => {
    for (const header of [
      `Bearer realm="${'\\a'.repeat(8000)}`,
      `Bearer ${'a'.repeat(16_000)}"`,
      `Bearer ${'= '.repeat(8000)}`,
      `Bearer x${' '.repeat(16_000)}y=`,
    ]) {
      const startedAt = performance.now();
      parseChallenges(header);
      assert.ok(performance.now() - startedAt < 200, `slow on ${header.slice(0, 20)}`);
    }
  });
});
