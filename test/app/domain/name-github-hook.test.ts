import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nameGithubHook } from '../../../app/domain/name-github-hook.ts';

const headers = (type: string, id = '5') => ({
  'x-github-hook-id': id,
  'x-github-hook-installation-target-type': type,
});
const BODY = { repository: { full_name: 'o/r' }, organization: { login: 'acme' } };

test('the hook is of what the headers say, by the name in the body', () => {
  assert.equal(nameGithubHook(headers('repository'), BODY)?.name, 'o/r/5');
  assert.equal(nameGithubHook(headers('organization'), BODY)?.name, 'orgs/acme/5');
});

test('none without a header or name, nor of an app, nor by a name that is none', () => {
  assert.equal(nameGithubHook({}, BODY), undefined);
  assert.equal(nameGithubHook(headers('integration'), BODY), undefined);
  assert.equal(nameGithubHook(headers('repository', 'x'), BODY), undefined);
  assert.equal(nameGithubHook(headers('repository'), {}), undefined);
  const traversal = { repository: { full_name: '../user' } };
  assert.equal(nameGithubHook(headers('repository'), traversal), undefined);
});

test('any body gives a hook or none', () => {
  fc.assert(
    fc.property(fc.anything(), fc.string(), (body, id) => {
      for (const type of ['repository', 'organization']) nameGithubHook(headers(type, id), body);
    }),
  );
});
