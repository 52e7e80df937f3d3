import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGithubHook } from '../../../shared/contract/github-hook.ts';

test('a hook of a repository, and one of an organization', () => {
  assert.deepEqual(parseGithubHook('own-er/re.po_1/12'), {
    ...{ name: 'own-er/re.po_1/12', id: '12', path: '/repos/own-er/re.po_1/hooks/12' },
  });
  assert.equal(
    parseGithubHook('orgs/acme/9007199254740993')?.path,
    '/orgs/acme/hooks/9007199254740993',
  );
});

test('nothing that would lead elsewhere in the API', () => {
  for (const name of [
    ...['', 'o/r', 'o/r/0', 'o/r/01', 'o/r/x', 'o/r/1/2', '/r/1', 'o//1', 'o/../1', 'o/./1'],
    ...['../r/1', 'o/r?x/1', 'o/r#/1', 'o/r%2f/1', 'o r/r/1', 'orgs/a.b/1', 'orgs//1', 'o/r/-1'],
    ...['o/r/1 ', 'ö/r/1', `o/${'r'.repeat(101)}/1`, `o/r/${'1'.repeat(20)}`],
  ]) {
    assert.equal(parseGithubHook(name), undefined, name);
  }
});
