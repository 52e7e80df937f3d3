import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { realFiles } from '../../../shared/fs/files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** A folder with a file, a folder and links in it. */
function makeFolder(t: TestContext) {
  const folder = makeTempFolder(t);
  writeFileSync(join(folder, 'file'), 'content', { mode: 0o600 });
  mkdirSync(join(folder, 'sub'));
  symlinkSync('file', join(folder, 'link'));
  symlinkSync('nowhere', join(folder, 'dangling'));
  return (name: string) => join(folder, name);
}

describe('realFiles.create', () => {
  test('makes a file with just this mode, which is written whole', (t) => {
    const path = join(makeTempFolder(t), 'ä file');
    const file = realFiles.create(path, 0o640);
    realFiles.write(file, Buffer.from('a'));
    realFiles.write(file, Buffer.alloc(1_000_000, 'b'));
    realFiles.sync(file);
    realFiles.close(file);
    assert.equal(readFileSync(path, 'utf8'), `a${'b'.repeat(1_000_000)}`);
    assert.equal(statSync(path).mode & 0o777, 0o640);
  });

  for (const name of ['file', 'link', 'dangling', 'sub'])
    test(`takes nothing that is there already: ${name}`, (t) => {
      const at = makeFolder(t);
      assert.throws(() => realFiles.create(at(name), 0o600), { code: 'EEXIST' });
    });
});

describe('realFiles.openToAppend', () => {
  test('makes a file where there is none, and keeps what is there', (t) => {
    const path = join(makeTempFolder(t), 'log');
    for (const word of ['one ', 'two ']) {
      const file = realFiles.openToAppend(path, 0o600);
      realFiles.write(file, Buffer.from(word));
      realFiles.close(file);
    }
    assert.equal(readFileSync(path, 'utf8'), 'one two ');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});

describe('realFiles.syncDirectory', () => {
  test('a folder that is gone cannot be synced', (t) => {
    assert.throws(() => realFiles.syncDirectory(makeFolder(t)('gone')), { code: 'ENOENT' });
  });

  test('leaves no descriptor open', (t) => {
    const at = makeFolder(t);
    const before = readdirSync('/proc/self/fd').length;
    realFiles.syncDirectory(at('sub'));
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
});

describe('realFiles.link', () => {
  test('replaces nothing', (t) => {
    const at = makeFolder(t);
    writeFileSync(at('other'), '');
    assert.throws(() => realFiles.link(at('file'), at('other')), { code: 'EEXIST' });
  });
});

describe('realFiles.unlink', () => {
  test('removes a link, not what it points to', (t) => {
    const at = makeFolder(t);
    realFiles.unlink(at('link'));
    assert.deepEqual(realFiles.list(at('.')), ['dangling', 'file', 'sub']);
  });

  test('a missing file is no error, a missing right is one', (t) => {
    const at = makeFolder(t);
    realFiles.unlink(at('gone'));
    assert.throws(() => realFiles.unlink(at('file/below')), { code: 'ENOTDIR' });
  });
});

describe('realFiles.makeDirectory', () => {
  test('makes one folder, and none where there is one', (t) => {
    const at = makeFolder(t);
    realFiles.makeDirectory(at('new'), 0o700);
    assert.equal(statSync(at('new')).mode & 0o777, 0o700);
    assert.throws(() => realFiles.makeDirectory(at('new'), 0o700), { code: 'EEXIST' });
    assert.throws(() => realFiles.makeDirectory(at('x/y'), 0o700), { code: 'ENOENT' });
  });
});

describe('realFiles.facts', () => {
  test('a file is told apart by device and inode', (t) => {
    const at = makeFolder(t);
    const { dev, ino } = statSync(at('file'));
    const expected = { bytes: 7, device: dev, inode: ino, isExecutable: false, isDirectory: false };
    assert.deepEqual(realFiles.facts(at('file')), expected);
    assert.deepEqual(realFiles.facts(at('link')), expected);
  });

  test('a file that anybody may run is executable, a folder never is', (t) => {
    const at = makeFolder(t);
    for (const mode of [0o100, 0o010, 0o001]) {
      chmodSync(at('file'), mode);
      assert.equal(realFiles.facts(at('file'))?.isExecutable, true);
    }
    assert.equal(realFiles.facts(at('sub'))?.isExecutable, false);
    assert.equal(realFiles.facts(at('sub'))?.isDirectory, true);
  });

  for (const name of ['gone', 'dangling', 'file/below'])
    test(`there is nothing at ${name}`, (t) =>
      assert.equal(realFiles.facts(makeFolder(t)(name)), undefined));

  test('what cannot be looked at is an error, not nothing', (t) => {
    const at = makeFolder(t);
    symlinkSync('round', at('round'));
    assert.throws(() => realFiles.facts(at('round')), { code: 'ELOOP' });
  });
});

describe('realFiles.read', () => {
  test('reads a file that is just as large as allowed', (t) => {
    assert.equal(realFiles.read(makeFolder(t)('file'), 7)?.toString(), 'content');
  });

  test('a larger one is an error', (t) => {
    assert.throws(() => realFiles.read(makeFolder(t)('file'), 6), { code: 'EFBIG' });
  });

  test('what is not there is nothing, a folder is an error', (t) => {
    const at = makeFolder(t);
    assert.equal(realFiles.read(at('gone'), 100), undefined);
    assert.throws(() => realFiles.read(at('sub'), 100_000), { code: 'EISDIR' });
  });
});

describe('realFiles.list', () => {
  test('gives the names in order, and none of a missing folder', (t) => {
    const at = makeFolder(t);
    assert.deepEqual(realFiles.list(at('.')), ['dangling', 'file', 'link', 'sub']);
    assert.deepEqual(realFiles.list(at('gone')), []);
  });

  test('a file is no folder', (t) => {
    assert.throws(() => realFiles.list(makeFolder(t)('file')), { code: 'ENOTDIR' });
  });
});

describe('realFiles.removeTree', () => {
  test('removes a folder with all that is in it, and follows no link out of it', (t) => {
    const at = makeFolder(t);
    writeFileSync(at('sub/a'), '');
    symlinkSync(at('file'), at('sub/out'));
    realFiles.removeTree(at('sub'));
    realFiles.removeTree(at('gone'));
    assert.deepEqual(realFiles.list(at('.')), ['dangling', 'file', 'link']);
  });
});
