import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LockPull, type PullParts, pullImage } from '../../../app/deploy/pull-image.ts';
import type { CommandResult } from '../../../shared/process/run-command.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const IMAGE = { registry: 'ghcr.io', repository: 'o/web', tag: 'main' };
const HERE = { stdout: JSON.stringify([{ Id: 'i1', Digest: DIGEST }]) };
const NOT_HERE = {
  end: { kind: 'exited', code: 125 },
  stderr: 'Error: no such image\n',
} as const;

/** A podman that has the image from the `from`th command on. */
async function pull(lockPull: LockPull | undefined, from: number, pulled = {}) {
  let count = 0;
  const { run, asked } = answerCommands((argv): Partial<CommandResult> => {
    count++;
    if (argv[1] === 'pull') return pulled;
    return count >= from ? HERE : NOT_HERE;
  });
  const notes: string[] = [];
  const parts: PullParts = {
    run,
    onPhase: () => undefined,
    isStopping: () => false,
    stop: new AbortController().signal,
    limits: { pullTimeoutMs: 1_234 },
    onNote: (_level, action) => notes.push(action),
    ...(lockPull && { lockPull }),
  };
  const result = await pullImage(parts, IMAGE, DIGEST);
  return { result, notes, asked: asked.map(({ argv }) => argv[1]) };
}

/** A lock that remembers what was asked of it. */
function makeLock(hasWaited: boolean) {
  const said: unknown[] = [];
  const lockPull: LockPull = (name, waitMs) => {
    said.push([name, waitMs]);
    return Promise.resolve({ hasWaited, release: () => said.push('released') });
  };
  return { lockPull, said };
}

describe('pull image: what another task pulls as well', () => {
  test('is not pulled again where that has brought it here', async () => {
    const { lockPull, said } = makeLock(true);
    const { result, asked, notes } = await pull(lockPull, 1);
    assert.ok(result.ok);
    assert.deepEqual([asked, notes], [['image'], ['pull-shared']]);
    assert.deepEqual(said, [[`ghcr.io/o/web@${DIGEST}`, 1_234], 'released']);
  });

  test('is pulled where that has not, and by whoever comes first', async () => {
    const { result, asked, notes } = await pull(makeLock(true).lockPull, 2);
    assert.ok(result.ok);
    assert.deepEqual([asked, notes], [['image', 'pull', 'image'], []]);
    assert.deepEqual((await pull(makeLock(false).lockPull, 1)).asked, ['pull', 'image']);
  });

  test('is pulled all the same where the lock is not to be had, or there is none', async () => {
    for (const lockPull of [() => Promise.resolve(undefined), undefined]) {
      assert.deepEqual((await pull(lockPull, 1)).asked, ['pull', 'image']);
    }
  });

  test('is given free by a pull that fails', async () => {
    const { lockPull, said } = makeLock(false);
    const refused = { end: { kind: 'exited', code: 125 }, stderr: 'Error: denied\n' } as const;
    const { result } = await pull(lockPull, 9, refused);
    assert.equal(result.ok || result.failure.code, 'PULL_FAILED');
    assert.equal(said.at(-1), 'released');
  });
});

describe('pull image: what podman says that it has pulled', () => {
  const ID = 'c0'.repeat(32);
  const answered = { kind: 'answered', status: 200, method: 'POST', path: '/x' } as const;
  const exists = (isHere: boolean) => ({
    end: { kind: 'exited', code: isHere ? 0 : 1 } as const,
  });

  /** `said` of the pull, and whether the image is there by its name and digest then. */
  async function pullSaying(said: Partial<CommandResult>, isHere = true) {
    const { run, asked } = answerCommands((argv): Partial<CommandResult> => {
      if (argv[1] === 'pull') return said;
      return argv[2] === 'exists' ? exists(isHere) : HERE;
    });
    const parts: PullParts = {
      run,
      ...{ onPhase: () => undefined, onNote: () => undefined, isStopping: () => false },
      stop: new AbortController().signal,
      limits: { pullTimeoutMs: 1_234 },
    };
    const result = await pullImage(parts, IMAGE, DIGEST);
    return { result, asked: asked.map(({ argv }) => argv.slice(1, 3).join(' ')) };
  }

  test('is its id, which is taken where that name and digest are here', async () => {
    const report = `{"stream":"Trying to pull"}\n{"images":["${ID}"],"id":"${ID}"}\n`;
    for (const said of [{ stdout: `${ID}\n` }, { end: answered, stdout: report }]) {
      const { result, asked } = await pullSaying(said);
      assert.deepEqual(result, { ok: true, value: { id: ID } });
      assert.deepEqual(asked, ['pull --quiet', 'image exists']);
    }
  });

  test('counts for nothing where they are not', async () => {
    const { result } = await pullSaying({ stdout: `${ID}\n` }, false);
    assert.equal(result.ok || result.failure.code, 'PULL_FAILED');
  });

  test('is looked for where that is no id', async () => {
    for (const said of [{ stdout: 'done\n' }, { end: answered, stdout: '{"id":7}\nnull\n{' }]) {
      const { result, asked } = await pullSaying(said);
      assert.deepEqual(result.ok && result.value.id, 'i1');
      assert.deepEqual(asked, ['pull --quiet', 'image inspect']);
    }
  });
});
