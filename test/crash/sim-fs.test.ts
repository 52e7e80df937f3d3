import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimFs } from './sim-fs.ts';

/** What a power cut may leave of some files, in any order. */
function afterPowerCut(fs: SimFs, ...paths: readonly string[]): readonly string[] {
  const left = fs.disk.afterPowerCut(1_000).map((disk) => {
    const image = new SimFs(disk);
    return paths.map((path) => image.text(path) ?? '-').join(' ');
  });
  return [...new Set(left)].sort();
}

function write(fs: SimFs, path: string, content: string, isSynced: boolean): void {
  const file = fs.create(path, 0o600);
  fs.write(file, Buffer.from(content));
  if (isSynced) fs.sync(file);
  fs.close(file);
}

describe('the simulated disk after a power cut', () => {
  test('has lost a new file, its content or half of it, until file and folder are synced', () => {
    const fs = new SimFs();
    write(fs, '/a', 'full', false);
    assert.deepEqual(afterPowerCut(fs, '/a'), ['', '-', 'fu', 'full']);
    fs.syncDirectory('/');
    assert.deepEqual(afterPowerCut(fs, '/a'), ['', 'fu', 'full']);
    fs.sync(fs.openToAppend('/a', 0o600));
    assert.deepEqual(afterPowerCut(fs, '/a'), ['full']);
  });

  test('has what was appended in part, but never less than was synced', () => {
    const fs = new SimFs();
    write(fs, '/a', 'one ', true);
    fs.syncDirectory('/');
    fs.write(fs.openToAppend('/a', 0o600), Buffer.from('more'));
    assert.deepEqual(afterPowerCut(fs, '/a'), ['one ', 'one mo', 'one more']);
  });

  test('has one or the other content of a name that was replaced, and in no case none', () => {
    const fs = new SimFs();
    write(fs, '/a', 'old', true);
    write(fs, '/b', 'new', true);
    fs.syncDirectory('/');
    fs.rename('/b', '/a');
    assert.deepEqual(afterPowerCut(fs, '/a', '/b'), ['new -', 'old new']);
  });

  test('has changes of different names without each other, those of one name in their order', () => {
    const fs = new SimFs();
    for (const name of ['a', 'b']) fs.put(`/${name}`, name);
    fs.unlink('/a');
    fs.unlink('/b');
    assert.deepEqual(afterPowerCut(fs, '/a', '/b'), ['- -', '- b', 'a -', 'a b']);
    fs.put('/c', 'c');
    fs.link('/c', '/a');
    fs.unlink('/c');
    assert.deepEqual(afterPowerCut(fs, '/a').includes('-'), true);
    assert.equal(afterPowerCut(fs, '/a', '/c').includes('a -'), true);
  });

  test('has a file that went to another folder in one of both, or in both, but never in none', () => {
    const fs = new SimFs();
    fs.makeDirectory('/x', 0o700);
    fs.put('/a', 'a');
    fs.disk.settleAll();
    fs.rename('/a', '/x/a');
    assert.deepEqual(afterPowerCut(fs, '/a', '/x/a'), ['- a', 'a -', 'a a']);
    fs.syncDirectory('/x');
    assert.deepEqual(afterPowerCut(fs, '/a', '/x/a'), ['- a', 'a a']);
    fs.syncDirectory('/');
    assert.deepEqual(afterPowerCut(fs, '/a', '/x/a'), ['- a']);
  });

  test('has nothing of a folder whose own name was lost', () => {
    const fs = new SimFs();
    fs.makeDirectory('/x', 0o700);
    write(fs, '/x/a', 'a', true);
    fs.syncDirectory('/x');
    assert.deepEqual(afterPowerCut(fs, '/x/a'), ['-', 'a']);
  });

  test('tries the extremes where there is too much to try', () => {
    const fs = new SimFs();
    for (let n = 0; n < 20; n++) write(fs, `/${n}`, 'content', false);
    const names = Array.from({ length: 20 }, (_, n) => `/${n}`);
    const images = fs.disk.afterPowerCut(100).map((disk) => new SimFs(disk));
    assert.ok(images.length <= 100);
    const counts = images.map((image) => names.filter((name) => image.text(name)).length);
    assert.deepEqual([Math.min(...counts), Math.max(...counts)], [0, 20]);
  });
});

describe('the simulated file system', () => {
  test('knows names of one file for one file, and renames none over itself', () => {
    const fs = new SimFs();
    fs.put('/a', 'a');
    fs.link('/a', '/b');
    assert.equal(fs.facts('/a')?.inode, fs.facts('/b')?.inode);
    fs.rename('/a', '/b');
    assert.equal(fs.text('/a'), 'a');
    assert.notEqual(keyOf('/a', '/b'), fs.disk.key());

    function keyOf(...paths: readonly string[]): string {
      const other = new SimFs();
      for (const path of paths) other.put(path, 'a');
      return other.disk.key();
    }
  });

  test('is killed with all that was not synced, and a power cut later on may still take it', () => {
    const fs = new SimFs();
    write(fs, '/a', 'full', false);
    const next = new SimFs(fs.disk.clone());
    assert.equal(next.text('/a'), 'full');
    assert.deepEqual(afterPowerCut(next, '/a'), ['', '-', 'fu', 'full']);
  });

  test('fails as a file system does', () => {
    const fs = new SimFs();
    fs.put('/a', 'abc');
    const codes = [
      () => fs.create('/a', 0o600),
      () => fs.link('/a', '/a'),
      () => fs.rename('/b', '/c'),
      () => fs.makeDirectory('/a', 0o700),
      () => fs.read('/a', 2),
      () => fs.syncDirectory('/x'),
    ].map((act) => {
      try {
        act();
        return 'none';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    });
    assert.deepEqual(codes, ['EEXIST', 'EEXIST', 'ENOENT', 'EEXIST', 'EFBIG', 'ENOENT']);
    assert.equal(fs.read('/b', 2), undefined);
    assert.equal(fs.facts('/b'), undefined);
    assert.deepEqual(fs.list('/x'), []);
  });

  test('does nothing for a kind of sync that is broken, and names each', async () => {
    const fs = new SimFs();
    const kinds: string[] = [];
    fs.onSync = (kind) => kinds.push(kind);
    fs.brokenSync = 'data of /a';
    write(fs, '/a', 'full', true);
    fs.syncDirectory('/');
    await fs.bulk.copy('/a', '/b');
    assert.deepEqual(kinds, ['data of /a', 'name of /a', 'data of /b']);
    assert.deepEqual(afterPowerCut(fs, '/a'), ['', 'fu', 'full']);
  });
});
