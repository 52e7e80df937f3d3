import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findRunning } from '../../../app/deploy/find-running.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const ID = 'c'.repeat(64);
const WANTED = `sha256:${'0a'.repeat(32)}`;
const OTHER = `sha256:${'1b'.repeat(32)}`;
const IMAGE = { registry: 'ghcr.io', repository: 'octo-org/hello', tag: 'latest' };

/** A container in podman's list. */
function listed(over: Readonly<Record<string, unknown>> = {}) {
  return {
    Id: ID,
    State: 'running',
    Status: 'Up 2 minutes ago',
    Image: 'ghcr.io/octo-org/hello:latest',
    ImageID: 'i1',
    ...over,
  };
}

describe('find running', () => {
  /** Image `i1` is the wanted one, `i2` another. */
  const IMAGES = answerOf({
    i1: [{ Id: 'i1', Digest: WANTED }],
    i2: [{ Id: 'i2', Digest: OTHER }],
  });

  function answerOf(images: Readonly<Record<string, readonly object[]>>) {
    return (list: readonly object[]) =>
      answerCommands((argv) =>
        argv[1] === 'ps'
          ? { stdout: JSON.stringify(list) }
          : { stdout: JSON.stringify(images[argv.at(-1) ?? ''] ?? []) },
      );
  }

  const ROWS: readonly [
    title: string,
    all: readonly object[],
    digest: string | undefined,
    isWanted: boolean,
  ][] = [
    ['the wanted digest', [listed()], WANTED, true],
    ['another digest', [listed({ ImageID: 'i2' })], OTHER, false],
    ['one of each', [listed(), listed({ ImageID: 'i2' })], OTHER, false],
    ['an image that is gone', [listed({ ImageID: 'i3' })], '', false],
    [
      'a helper of another image beside it',
      [listed({ Image: 'ghcr.io/octo-org/db:1', ImageID: 'i2' }), listed()],
      WANTED,
      true,
    ],
    ['a helper whose image has no name', [listed({ Image: 'NOT VALID' }), listed()], WANTED, true],
    [
      'an exited one beside it',
      [listed({ State: 'exited', ImageID: 'i2' }), listed()],
      WANTED,
      true,
    ],
    ['only an exited one', [listed({ State: 'exited' })], undefined, false],
    ['only a helper', [listed({ Image: 'ghcr.io/octo-org/db:1' })], undefined, false],
  ];
  for (const [title, all, digest, isWanted] of ROWS) {
    test(`${title}: ${digest === undefined ? 'nothing runs' : isWanted ? 'wanted' : 'not wanted'}`, async () => {
      const { run } = IMAGES(all);
      const found = await findRunning(run, 'web.service', IMAGE, { digest: WANTED, imageId: null });
      if (digest === undefined)
        assert.equal(found.ok || found.failure.code, 'CONTAINER_NOT_RUNNING');
      else
        assert.deepEqual(found.ok && [found.value.digest, found.value.isWanted], [
          digest,
          isWanted,
        ]);
    });
  }

  test('a container of the wanted local id runs what is wanted, and nothing more is asked', async () => {
    const { run, asked } = IMAGES([listed({ ImageID: 'i2' })]);
    const found = await findRunning(run, 'web.service', IMAGE, { digest: WANTED, imageId: 'i2' });
    assert.ok(found.ok && found.value.isWanted);
    assert.equal(asked.length, 1);
  });

  test('an image that was just looked at is not looked at again', async () => {
    const { run, asked } = IMAGES([listed()]);
    const known = { id: 'i1', digest: WANTED, repoDigests: [], sizeBytes: 0 };
    const wanted = { digest: WANTED, imageId: null, known };
    const found = await findRunning(run, 'web.service', IMAGE, wanted);
    assert.ok(found.ok && found.value.isWanted);
    assert.equal(asked.length, 1);
    const others = IMAGES([listed({ ImageID: 'i2' })]);
    const other = await findRunning(others.run, 'web.service', IMAGE, wanted);
    assert.deepEqual(other.ok && [other.value.digest, other.value.isWanted], [OTHER, false]);
  });

  test('a container of the platform digest runs the index that podman knows it by', async () => {
    const RepoDigests = [`ghcr.io/octo-org/hello@${WANTED}`];
    const { run } = answerOf({ i1: [{ Id: 'i1', Digest: OTHER, RepoDigests }] })([listed()]);
    const found = await findRunning(run, 'web.service', IMAGE, { digest: WANTED, imageId: null });
    assert.ok(found.ok && found.value.isWanted);
    assert.equal(found.value.digest, WANTED);
  });
});
