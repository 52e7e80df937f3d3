import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CheckParts, checkAfterUpdate } from '../../../app/updates/post-update-check.ts';
import { parseCheckAnswer } from '../../../shared/contract/helper-answers.ts';
import { type Failure, fail, succeed } from '../../../shared/contract/outcome.ts';
import { DIGEST, OTHER_DIGEST } from '../../shared/contract/samples.ts';

const SOUND = { exists: true, schema: 1, compatible: true, sound: true, detail: 'All is well.' };
const WELL: CheckParts = {
  version: '1.2.3',
  digest: DIGEST,
  expected: DIGEST,
  inspect: () => SOUND,
  lookForRelease: () => Promise.resolve(succeed({})),
  registries: [() => Promise.resolve(succeed({}))],
};

/** The failures by check; undefined for the ones that are well. */
async function check(over: Partial<CheckParts>): Promise<Readonly<Record<string, Failure[]>>> {
  const answer = await checkAfterUpdate({ ...WELL, ...over });
  assert.deepEqual(parseCheckAnswer(structuredClone(answer)), answer, 'it can be read');
  const failed: Record<string, Failure[]> = {};
  for (const { name, failure } of answer.checks) {
    if (failure) failed[name] = [...(failed[name] ?? []), failure];
  }
  return failed;
}

const nobody = (code: 'REGISTRY_UNREACHABLE' | 'REGISTRY_TIMEOUT' | 'RELEASE_SOURCE_UNREACHABLE') =>
  Promise.resolve(fail(code, 'Nobody answers.'));

describe('a check after an exchange', () => {
  test('says of each part that it is well', async () => {
    const answer = await checkAfterUpdate(WELL);
    assert.deepEqual(answer, {
      version: '1.2.3',
      digest: DIGEST,
      checks: ['own-files', 'database', 'release-source', 'registry'].map((name) => ({
        name,
        failure: null,
      })),
    });
  });

  test('finds another program file than the one that was installed', async () => {
    const failed = await check({ expected: OTHER_DIGEST });
    assert.deepEqual(Object.keys(failed), ['own-files']);
    assert.equal(failed['own-files']?.[0]?.code, 'UPDATE_WRONG_PROGRAM');
    assert.deepEqual(await check({ expected: undefined }), {});
  });

  for (const over of [{ sound: false }, { compatible: false }])
    test(`finds a database that is ${JSON.stringify(over)}`, async () => {
      const failed = await check({ inspect: () => ({ ...SOUND, ...over, detail: 'page 7' }) });
      const failure = { code: 'DATABASE_UNAVAILABLE', detail: 'page 7' };
      assert.deepEqual(failed, { database: [failure] });
    });

  test('finds that nobody answers, each place by itself', async () => {
    const failed = await check({
      lookForRelease: () => nobody('RELEASE_SOURCE_UNREACHABLE'),
      registries: [
        () => nobody('REGISTRY_UNREACHABLE'),
        () => Promise.resolve(succeed({})),
        () => nobody('REGISTRY_TIMEOUT'),
      ],
    });
    assert.deepEqual(
      [failed['release-source']?.length, failed['registry']?.map(({ code }) => code)],
      [1, ['REGISTRY_UNREACHABLE', 'REGISTRY_TIMEOUT']],
    );
  });

  test('is content with any answer, also with a refusal', async () => {
    const failed = await check({
      lookForRelease: () => Promise.resolve(fail('RELEASE_NOT_FOUND', '')),
      registries: [
        () => Promise.resolve(fail('REGISTRY_UNAUTHORIZED', '')),
        () => Promise.resolve(fail('REGISTRY_IMAGE_NOT_FOUND', '')),
      ],
    });
    assert.deepEqual(failed, {});
  });

  test('misses nothing where neither a source nor a unit is configured', async () => {
    const { checks } = await checkAfterUpdate({
      ...WELL,
      lookForRelease: undefined,
      registries: [],
    });
    assert.deepEqual(
      checks.map(({ name, failure }) => [name, failure]),
      [
        ['own-files', null],
        ['database', null],
        ['release-source', null],
      ],
    );
  });
});
