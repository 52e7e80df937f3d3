import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Access,
  ADMIN_ACCESS,
  type Claim,
  DEPLOY_ACCESS,
  findBeyond,
  MONITOR_ACCESS,
  meets,
  NEEDS,
  type Need,
  readScopes,
  toAccess,
  toScopes,
} from '../../../app/domain/access.ts';

const of = (...texts: string[]): Access => {
  const read = readScopes(texts);
  assert.ok('scopes' in read, JSON.stringify(read));
  return toAccess(read.scopes);
};

describe('who may call what', () => {
  const ROWS: readonly (readonly [title: string, access: Access, needs: readonly Need[]])[] = [
    ['an admin', ADMIN_ACCESS, NEEDS],
    ['who has admin alone', of('admin'), NEEDS],
    ['who may deploy everything', DEPLOY_ACCESS, ['anyone', 'hook', 'deploy']],
    ['who may deploy one unit', of('deploy:web'), ['anyone', 'hook', 'deploy']],
    ['who may look', of('read'), ['anyone', 'hook', 'monitor', 'read']],
    ['a monitor', MONITOR_ACCESS, ['anyone', 'hook', 'monitor']],
    ['who has nothing', toAccess([]), ['anyone', 'hook']],
    ['who has something that is no scope', toAccess(['root', 'deploy']), ['anyone', 'hook']],
  ];
  for (const [title, access, needs] of ROWS) {
    test(`${title}: ${needs.join(', ')}`, () => {
      assert.deepEqual(
        NEEDS.filter((need) => meets(access, need)),
        needs,
      );
    });
  }
});

describe('what of a claim is beyond', () => {
  const ROWS: readonly (readonly [scope: string, claim: Claim, beyond: string | null])[] = [
    ['admin', 'admin', null],
    ['admin', 'all', null],
    ['admin', ['web'], null],
    ['deploy:*', 'all', null],
    ['deploy:*', ['web', 'x'], null],
    ['deploy:*', 'admin', 'admin'],
    ['deploy:web', ['web'], null],
    ['deploy:web', ['web.service'], null],
    ['deploy:web.service', ['web'], null],
    ['deploy:web', [], null],
    ['deploy:web', 'all', 'deploy:*'],
    ['deploy:web', 'admin', 'admin'],
    ['deploy:web', ['web', 'api'], 'deploy:api'],
    ['deploy:web', ['Web'], 'deploy:Web'],
    ['deploy:web', ['web.service.service'], 'deploy:web.service.service'],
    ['deploy:web', ['-web'], 'deploy:-web'],
    ['deploy:web', ['../web'], 'deploy:../web'],
    ['deploy:web', [' web '], null],
    ['deploy:web,api', ['api', 'web'], null],
    ['deploy:app@1', ['app@1'], null],
    ['deploy:app@1', ['app@2'], 'deploy:app@2'],
    ['deploy:app@', ['app@1', 'app@x.service'], null],
    ['deploy:app@', ['app'], 'deploy:app'],
    ['deploy:app', ['app@1'], 'deploy:app@1'],
    ['read', ['web'], 'deploy:web'],
  ];
  for (const [scope, claim, beyond] of ROWS) {
    test(`${scope} for ${JSON.stringify(claim)}: ${beyond}`, () => {
      assert.equal(findBeyond(of(scope), claim), beyond);
    });
  }
});

describe('scopes', () => {
  test('are kept in one form, each once', () => {
    assert.deepEqual(
      readScopes(['deploy:web, api.service', 'read', ' deploy:web', 'deploy:app@']),
      {
        scopes: ['deploy:api.service', 'deploy:app@.service', 'deploy:web.service', 'read'],
      },
    );
  });

  for (const text of [
    '',
    'READ',
    'deploy',
    'deploy:',
    'deploy:web,',
    'deploy:-x',
    'deploy:*,web',
    'metrics',
    'hook',
    'deploy:a/b',
    'write',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => {
      assert.deepEqual(readScopes(['read', text]), { fault: text });
    });
  }

  test('none at all, and more than can be meant, are refused', () => {
    assert.ok('fault' in readScopes([]));
    assert.ok('fault' in readScopes([`deploy:${Array.from({ length: 201 }, (_, n) => `u${n}`)}`]));
  });

  test('come back as they were given', () => {
    assert.deepEqual(toScopes(of('admin', 'read', 'deploy:*')), ['admin', 'read', 'deploy:*']);
    assert.deepEqual(toScopes(of('deploy:b,a')), ['deploy:a.service', 'deploy:b.service']);
  });
});
