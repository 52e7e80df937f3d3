import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Files } from '../../../shared/fs/files.ts';
import { NO_MEMORY } from '../../../supervisor/core/update/outcome.ts';
import {
  readMemory,
  writePolicy,
  writeQuarantine,
} from '../../../supervisor/record/memory-store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { badMemory, NEW } from '../core/update/fixture.ts';
import { quickFiles } from './recording-files.ts';

const WALL_MS = 1_700_000_000_000;
const BAD = badMemory(NEW);
/** Good but for its length. */
const TOO_LARGE = JSON.stringify(BAD.policy).padEnd(4 * 1024 * 1024 + 1);

function makeStore(context: TestContext) {
  const folder = makeTempFolder(context);
  const paths = {
    quarantine: join(folder, 'quarantine.json'),
    updatePolicy: join(folder, 'update-policy.json'),
  };
  const broken: string[] = [];
  const read = (files: Files = quickFiles) =>
    readMemory(paths, files, WALL_MS, (path) => broken.push(path));
  return { paths, broken, read };
}

describe('the memory of updates', () => {
  test('is empty where nothing was remembered', (t) => {
    const { broken, read } = makeStore(t);
    assert.deepEqual(read(), NO_MEMORY);
    assert.deepEqual(broken, []);
  });

  test('is read as it was written, for its owner only', (t) => {
    const { paths, broken, read } = makeStore(t);
    writePolicy(paths, BAD.policy, quickFiles);
    writeQuarantine(paths, BAD.quarantine, quickFiles);
    assert.deepEqual(read(), BAD);
    assert.deepEqual(broken, []);
    for (const path of Object.values(paths)) assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('one part that is broken is kept aside and told, and the other is not forgotten for it', (t) => {
    const { paths, broken, read } = makeStore(t);
    writePolicy(paths, BAD.policy, quickFiles);
    writeFileSync(paths.quarantine, '{"v":1,"entries":[{}]}');
    assert.deepEqual(read(), { policy: BAD.policy, quarantine: NO_MEMORY.quarantine });
    assert.deepEqual(broken, [paths.quarantine]);
    const aside = readFileSync(`${paths.quarantine}.bad-${WALL_MS}`, 'utf8');
    assert.equal(aside, '{"v":1,"entries":[{}]}');
    assert.equal(existsSync(paths.quarantine), false);
  });

  for (const [title, spoil] of [
    ['empty', (path: string) => writeFileSync(path, '')],
    ['too large', (path: string) => writeFileSync(path, TOO_LARGE)],
    ['a folder', (path: string) => mkdirSync(path)],
  ] as const) {
    test(`a file that is ${title} is as good as broken`, (t) => {
      const { paths, broken, read } = makeStore(t);
      spoil(paths.updatePolicy);
      assert.deepEqual(read(), NO_MEMORY);
      assert.deepEqual(broken, [paths.updatePolicy]);
      assert.equal(existsSync(`${paths.updatePolicy}.bad-${WALL_MS}`), true);
    });
  }

  test('a broken one that cannot be moved aside keeps nobody from running', (t) => {
    const { paths, broken, read } = makeStore(t);
    writeFileSync(paths.quarantine, 'torn');
    const rename = () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    assert.deepEqual(read({ ...quickFiles, rename }), NO_MEMORY);
    assert.deepEqual(broken, [paths.quarantine]);
  });
});
