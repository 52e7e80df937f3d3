import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { maskPath } from '../../../app/domain/mask-path.ts';

const SECRET = `puh_${'Ab3_-'.repeat(8)}xyz`;

describe('the path of a request as it is recorded', () => {
  const PLAIN = [
    ...[
      '/',
      '/health',
      '/hooks',
      '/hooks/forge',
      '/hooks/forge/',
      '/api/hooks',
      '/api/hooks/forge',
    ],
    ...['/api/hooks/forge/rotate', '/api/hooks/forge/secrets/sec_1', '/github-package-update/web'],
    ...['/a%20b', '/100%', '/%zz'],
  ];
  for (const path of PLAIN) {
    test(`${path} stays as it is`, () => assert.equal(maskPath(path), path));
  }

  const MASKED: readonly [path: string, recorded: string][] = [
    [`/hooks/forge/${SECRET}`, '/hooks/forge/***'],
    ['/hooks/forge/wrong', '/hooks/forge/***'],
    ['/hooks/forge/a/b/c', '/hooks/forge/***'],
    ['//hooks//forge//secret', '//hooks//forge/***'],
    ['/%68ooks/forge/secret', '/hooks/forge/***'],
    ['/hooks%2Fforge%2Fsecret', '/hooks/forge/***'],
    ['/HOOKS/forge/secret', '/HOOKS/forge/***'],
    ['/podup/hooks/forge/secret', '/podup/hooks/forge/***'],
    ['/hooks/forge/secret%zz', '/hooks/forge/***'],
    [`/hooks/${SECRET}`, '/hooks/***'],
    [`/api/hooks/forge/${SECRET}`, '/api/hooks/forge/***'],
    [`/github-package-update/${SECRET}`, '/github-package-update/***'],
  ];
  for (const [path, recorded] of MASKED) {
    test(`${path} is ${recorded}`, () => assert.equal(maskPath(path), recorded));
  }

  test('never holds what follows the name of a hook, however it is escaped', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9_-]{8,40}$/);
    fc.assert(
      fc.property(
        secret,
        fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
        (text, escaped) => {
          const path = [...`/hooks/forge/${text}`]
            .map((char, index) =>
              escaped[index]
                ? `%${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`
                : char,
            )
            .join('');
          assert.equal(maskPath(path), '/hooks/forge/***');
        },
      ),
    );
  });

  test('is found whatever is sent', () => {
    fc.assert(fc.property(fc.string(), (path) => typeof maskPath(path) === 'string'));
  });
});
