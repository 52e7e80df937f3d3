// Needs: strace
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  appendDurably,
  linkDurably,
  makeDirectoryDurably,
  removeDurably,
  renameDurably,
  writeFileDurably,
} from '../../../shared/fs/durable-file.ts';
import { type Files, realFiles } from '../../../shared/fs/files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { traceCalls } from './trace-calls.ts';

const MODULE = new URL('../../../shared/fs/durable-file.ts', import.meta.url).href;

/** The real file system, but for an operation that fails as a dying disk does. */
function failing(operation: keyof Files): Files {
  const fail = () => {
    throw Object.assign(new Error('i/o error'), { code: 'EIO' });
  };
  return { ...realFiles, [operation]: fail };
}

/** A file with this content in a folder of its own. */
function makeFile(t: Parameters<typeof makeTempFolder>[0], name: string, content: string) {
  const folder = makeTempFolder(t);
  const path = join(folder, name);
  writeFileSync(path, content);
  return { folder, path };
}

describe('writeFileDurably', () => {
  test('makes a file that only its user can read', (t) => {
    const path = join(makeTempFolder(t), 'ä file');
    writeFileDurably(path, 'grün');
    assert.equal(readFileSync(path, 'utf8'), 'grün');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('replaces what was there and leaves nothing aside', (t) => {
    const { folder, path } = makeFile(t, 'file', 'a much longer old content');
    writeFileDurably(path, Buffer.from([1, 2, 3]), 0o640);
    assert.deepEqual(readFileSync(path), Buffer.from([1, 2, 3]));
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  test('an empty file can be written', (t) => {
    const path = join(makeTempFolder(t), 'file');
    writeFileDurably(path, '');
    assert.equal(statSync(path).size, 0);
  });

  test('syncs the content before the rename and the folder after it', (t) => {
    const folder = makeTempFolder(t);
    assert.deepEqual(traceCalls(t, folder, `durable.writeFileDurably(at('file'), 'x');`), [
      'write file.*.tmp',
      'fsync file.*.tmp',
      'rename file.*.tmp file',
      'fsync .',
    ]);
  });

  test('a rename that fails leaves no file aside', (t) => {
    const folder = makeTempFolder(t);
    mkdirSync(join(folder, 'taken/by a folder'), { recursive: true });
    assert.throws(() => writeFileDurably(join(folder, 'taken'), 'x'), { code: 'EISDIR' });
    assert.deepEqual(readdirSync(folder), ['taken']);
  });

  test('a write that fails leaves the old content and no file aside', (t) => {
    const { folder, path } = makeFile(t, 'file', 'old');
    const script = `import { writeFileDurably } from ${JSON.stringify(MODULE)};
      process.on('SIGXFSZ', () => {});
      try { writeFileDurably(${JSON.stringify(path)}, 'x'.repeat(1_000_000)); }
      catch (error) { console.log(error.code); }`;
    const limited = ['-c', 'ulimit -f 8; exec "$@"', 'sh', process.execPath];
    const child = spawnSync('sh', [...limited, '--input-type=module', '-e', script]);
    assert.equal(child.stdout.toString(), 'EFBIG\n', child.stderr.toString());
    assert.equal(readFileSync(path, 'utf8'), 'old');
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  test('a sync that fails leaves the old content, no file aside and no descriptor open', (t) => {
    const { folder, path } = makeFile(t, 'file', 'old');
    const before = readdirSync('/proc/self/fd').length;
    assert.throws(() => writeFileDurably(path, 'new', 0o600, failing('sync')), { code: 'EIO' });
    assert.equal(readFileSync(path, 'utf8'), 'old');
    assert.deepEqual(readdirSync(folder), ['file']);
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });

  test('where only the sync of the folder fails the new content is there, and it says so', (t) => {
    const { path } = makeFile(t, 'file', 'old');
    const write = () => writeFileDurably(path, 'new', 0o600, failing('syncDirectory'));
    assert.throws(write, { code: 'EIO' });
    assert.equal(readFileSync(path, 'utf8'), 'new');
  });

  test('a folder that is missing is an error', (t) => {
    const path = join(makeTempFolder(t), 'missing/file');
    assert.throws(() => writeFileDurably(path, 'x'), { code: 'ENOENT' });
  });
});

describe('appendDurably', () => {
  test('makes the file for its user only, and adds at its end', (t) => {
    const path = join(makeTempFolder(t), 'ä file');
    appendDurably(path, 'eins\n');
    appendDurably(path, 'zwölf\n');
    assert.equal(readFileSync(path, 'utf8'), 'eins\nzwölf\n');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('syncs the folder of a new file, after its content', (t) => {
    const folder = makeTempFolder(t);
    assert.deepEqual(traceCalls(t, folder, `durable.appendDurably(at('log'), 'x');`), [
      'write log',
      'fsync log',
      'fsync .',
    ]);
  });

  test('syncs only the file where it is there already', (t) => {
    const { folder } = makeFile(t, 'log', 'before');
    const calls = traceCalls(t, folder, `durable.appendDurably(at('log'), 'x');`);
    assert.deepEqual(calls, ['write log', 'fsync log']);
  });

  test('a sync that fails is an error and leaves no descriptor open', (t) => {
    const { path } = makeFile(t, 'log', 'before');
    const before = readdirSync('/proc/self/fd').length;
    assert.throws(() => appendDurably(path, 'x', failing('sync')), { code: 'EIO' });
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
});

describe('renameDurably', () => {
  test('gives a file its new name and keeps what is in it', (t) => {
    const { folder, path } = makeFile(t, 'old', 'content');
    renameDurably(path, join(folder, 'new'));
    assert.deepEqual(readdirSync(folder), ['new']);
    assert.equal(readFileSync(join(folder, 'new'), 'utf8'), 'content');
  });

  test('syncs the folder after the rename', (t) => {
    const { folder } = makeFile(t, 'old', '');
    const calls = traceCalls(t, folder, `durable.renameDurably(at('old'), at('new'));`);
    assert.deepEqual(calls, ['rename old new', 'fsync .']);
  });

  test('a file that is not there is an error', (t) => {
    const path = join(makeTempFolder(t), 'gone');
    assert.throws(() => renameDurably(path, `${path}.damaged`), { code: 'ENOENT' });
  });
});

describe('removeDurably', () => {
  test('syncs the folder after the file is gone', (t) => {
    const { folder } = makeFile(t, 'file', '');
    const calls = traceCalls(t, folder, `durable.removeDurably(at('file'));`);
    assert.deepEqual(calls, ['unlink file', 'fsync .']);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('syncs the folder of a missing file too, for its removal may not be durable yet', (t) => {
    const folder = makeTempFolder(t);
    const calls = traceCalls(t, folder, `durable.removeDurably(at('gone'));`);
    assert.deepEqual(calls, ['fsync .']);
  });

  test('what is no file is an error', (t) => {
    const folder = makeTempFolder(t);
    assert.throws(() => removeDurably(folder), { code: /EISDIR|EPERM/ });
  });
});

describe('linkDurably', () => {
  test('gives one file two names', (t) => {
    const { folder, path } = makeFile(t, 'program', 'v1');
    linkDurably(path, join(folder, 'program.old'));
    assert.deepEqual(readdirSync(folder), ['program', 'program.old']);
    assert.equal(statSync(path).ino, statSync(join(folder, 'program.old')).ino);
  });

  test('replaces what was there without ever leaving nothing in its place', (t) => {
    const { folder, path } = makeFile(t, 'program', 'v2');
    const old = join(folder, 'program.old');
    writeFileSync(old, 'v1');
    const seen: string[] = [];
    const watched = Object.fromEntries(
      Object.entries(realFiles).map(([name, operation]) => [
        name,
        (...args: never[]) => {
          const result = (operation as (...args: never[]) => unknown)(...args);
          seen.push(readFileSync(old, 'utf8'));
          return result;
        },
      ]),
    ) as Files;
    linkDurably(path, old, watched);
    assert.deepEqual([...new Set(seen)], ['v1', 'v2']);
  });

  test('leaves nothing aside where the name cannot be given', (t) => {
    const { folder, path } = makeFile(t, 'program', 'v1');
    assert.throws(() => linkDurably(path, join(folder, 'program.old'), failing('rename')), {
      code: 'EIO',
    });
    assert.deepEqual(readdirSync(folder), ['program']);
  });

  test('syncs the folder last', (t) => {
    const { folder } = makeFile(t, 'program', 'v2');
    writeFileSync(join(folder, 'program.old'), 'v1');
    const calls = traceCalls(t, folder, `durable.linkDurably(at('program'), at('program.old'));`);
    assert.deepEqual(calls, [
      'link program program.old.tmp',
      'rename program.old.tmp program.old',
      'fsync .',
    ]);
  });

  test('leaves nothing aside where both names are one file already', (t) => {
    const { folder, path } = makeFile(t, 'program', 'v1');
    linkSync(path, join(folder, 'program.old'));
    const calls = traceCalls(t, folder, `durable.linkDurably(at('program'), at('program.old'));`);
    assert.deepEqual(calls, [
      'link program program.old.tmp',
      'rename program.old.tmp program.old',
      'unlink program.old.tmp',
      'fsync .',
    ]);
    assert.deepEqual(readdirSync(folder), ['program', 'program.old']);
  });

  test('is not kept from its work by what a crash left aside', (t) => {
    const { folder, path } = makeFile(t, 'program', 'v2');
    writeFileSync(join(folder, 'program.old.tmp'), 'half');
    linkDurably(path, join(folder, 'program.old'));
    assert.deepEqual(readdirSync(folder), ['program', 'program.old']);
    assert.equal(readFileSync(join(folder, 'program.old'), 'utf8'), 'v2');
  });

  test('a file that is not there is an error, and the other name stays', (t) => {
    const { folder, path } = makeFile(t, 'program.old', 'v1');
    assert.throws(() => linkDurably(join(folder, 'program'), path), { code: 'ENOENT' });
    assert.equal(readFileSync(path, 'utf8'), 'v1');
  });
});

describe('makeDirectoryDurably', () => {
  test('makes the folder and those above it, for its user only', (t) => {
    const folder = makeTempFolder(t);
    makeDirectoryDurably(join(folder, 'a/b/c'));
    for (const each of ['a', 'a/b', 'a/b/c'])
      assert.equal(statSync(join(folder, each)).mode & 0o777, 0o700);
  });

  test('syncs each folder that got a new entry before it goes on, and no other', (t) => {
    const folder = makeTempFolder(t);
    assert.deepEqual(traceCalls(t, folder, `durable.makeDirectoryDurably(at('a/b/c'));`), [
      ...['mkdir a', 'fsync .'],
      ...['mkdir a/b', 'fsync a'],
      ...['mkdir a/b/c', 'fsync a/b'],
    ]);
  });

  test('a folder that is there is left as it is', (t) => {
    const folder = join(makeTempFolder(t), 'a');
    mkdirSync(folder, { mode: 0o755 });
    makeDirectoryDurably(folder);
    assert.equal(statSync(folder).mode & 0o777, 0o755);
  });

  test('a link to a folder is as good as one', (t) => {
    const folder = makeTempFolder(t);
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    makeDirectoryDurably(join(folder, 'link/a'));
    assert.deepEqual(readdirSync(join(folder, 'real')), ['a']);
  });

  test('another process that makes the folder at the same moment does no harm', (t) => {
    const path = join(makeTempFolder(t), 'a');
    const synced: string[] = [];
    makeDirectoryDurably(path, 0o700, {
      ...realFiles,
      makeDirectory: (raced, mode) => {
        mkdirSync(raced);
        realFiles.makeDirectory(raced, mode);
      },
      syncDirectory: (folder) => synced.push(folder),
    });
    assert.deepEqual(synced, [join(path, '..')]);
  });

  for (const name of ['file', 'file/a', 'file/a/b'])
    test(`a file in the way of ${name} is an error`, (t) => {
      const { folder } = makeFile(t, 'file', '');
      assert.throws(() => makeDirectoryDurably(join(folder, name)), { code: 'EEXIST' });
    });
});
