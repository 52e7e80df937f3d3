import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dropSurplus, type FormerJudge, holdFormerImage } from '../../../app/deploy/way-back.ts';
import { rollbackName } from '../../../app/domain/rollback-tag.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const UNIT = 'web.service';
const IMAGE = { registry: 'ghcr.io', repository: 'o/web', tag: 'main' };
const [RUNS, FORMER] = ['a'.repeat(64), 'b'.repeat(64)];
const KNOWN = { id: RUNS, digest: `sha256:${'1'.repeat(64)}`, repoDigests: [], sizeBytes: 1 };
const held = (number: number, id = FORMER) => ({ id, names: [rollbackName(UNIT, number)] });

/** A podman whose own list is `listed`, and which has what it lists. */
function open(listed: readonly ReturnType<typeof held>[]) {
  const lines = listed.map(({ id, names }) => `sha256:${id} ${names[0]}\n`).join('');
  const names = listed.flatMap((image) => image.names);
  const { run, asked } = answerCommands((argv) => {
    if (argv[2] === 'ls') return { stdout: lines };
    if (argv[2] !== 'exists') return {};
    return { end: { kind: 'exited', code: names.includes(argv.at(-1) ?? '') ? 0 : 1 } };
  });
  const hold = async (readNames?: FormerJudge['readNames']) => {
    const judge = { isBad: () => false, isProven: () => true, isTroubled: false };
    const seen = { known: KNOWN, runningId: RUNS };
    const way = await holdFormerImage(run, UNIT, IMAGE, {
      ...{ ...judge, ...seen },
      ...(readNames && { readNames }),
    });
    assert.ok(way.ok);
    const { former, held: all } = way.value;
    return [former?.heldAs, all?.map(({ number }) => number)];
  };
  const calls = () => asked.map(({ argv }) => argv.slice(1, 3).join(' '));
  return { run, hold, asked, calls };
}

const reading = (images: readonly ReturnType<typeof held>[]) => () => Promise.resolve(images);

describe('the way back: what is held already', () => {
  test('is read from the list of podman, and what runs is held as the next', async () => {
    const { hold, calls } = open([]);
    assert.deepEqual(await hold(reading([held(3), held(4)])), [rollbackName(UNIT, 5), [5, 4, 3]]);
    assert.deepEqual(calls(), [`tag ${RUNS}`]);
  });

  test('is asked of podman where that list is not to be had', async () => {
    for (const readNames of [undefined, () => Promise.resolve(undefined)]) {
      const { hold, calls } = open([held(3)]);
      assert.deepEqual(await hold(readNames), [rollbackName(UNIT, 4), [4, 3]]);
      assert.deepEqual(calls(), ['image ls', `tag ${RUNS}`]);
    }
  });

  test('is what runs, under the name that it has', async () => {
    const images = [held(3), held(4, RUNS)];
    const { hold, calls } = open(images);
    assert.deepEqual(await hold(reading(images)), [rollbackName(UNIT, 4), [4, 3]]);
    assert.deepEqual(calls(), ['image exists']);
  });

  test('is held anew where the list has a name that podman does not know', async () => {
    const { hold, calls } = open([held(3)]);
    const images = [held(3), held(4, RUNS)];
    assert.deepEqual(await hold(reading(images)), [rollbackName(UNIT, 4), [4, 3]]);
    assert.deepEqual(calls(), ['image exists', 'image ls', `tag ${RUNS}`]);
  });

  test('under an older name is held once', async () => {
    const { hold, calls } = open([]);
    const images = [held(3, RUNS), held(4)];
    assert.deepEqual(await hold(reading(images)), [rollbackName(UNIT, 5), [5, 4]]);
    assert.deepEqual(calls(), [`tag ${RUNS}`, 'image rm']);
  });
});

test('what is held beyond the newest is let go of, and podman is asked only where nobody knows what is', async () => {
  const all = [5, 4, 3].map((number) => ({
    ...{ number, imageId: FORMER, name: rollbackName(UNIT, number) },
  }));
  for (const [known, first] of [
    [all, []],
    [null, ['image ls']],
  ] as const) {
    const { run, asked, calls } = open([held(3), held(4), held(5)]);
    await dropSurplus(run, UNIT, 2, known);
    assert.deepEqual(calls(), [...first, 'image rm']);
    assert.equal(asked.at(-1)?.argv.at(-1), rollbackName(UNIT, 3));
  }
});
