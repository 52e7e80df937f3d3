import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeDirectoryDurably, writeFileDurably } from '../../../shared/fs/durable-file.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const MODULE = new URL('../../../shared/fs/durable-file.ts', import.meta.url).href;

/** The system calls of a snippet that has the module as `durable`, in order, on files below `folder`. */
function traceCalls(folder: string, snippet: string): string[] {
  const script = `import * as durable from ${JSON.stringify(MODULE)};\n${snippet}`;
  const log = join(folder, 'calls');
  execFileSync('strace', [
    ...['-f', '-y', '-e', 'trace=write,fsync,fdatasync,rename,renameat2,mkdir', '-o', log],
    ...[process.execPath, '--input-type=module', '-e', script],
  ]);
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes(' = 0') || /write\(.* = \d/.test(line))
    .filter((line) => line.includes('podup t'))
    .map((line) => line.replace(/^\d+ +/, ''));
}

const hasStrace = spawnSync('strace', ['-V']).status === 0;

describe('writeFileDurably', () => {
  test('makes a file that only its user can read', (t) => {
    const path = join(makeTempFolder(t), 'ä file');
    writeFileDurably(path, 'grün');
    assert.equal(readFileSync(path, 'utf8'), 'grün');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('replaces what was there and leaves nothing aside', (t) => {
    const folder = makeTempFolder(t);
    const path = join(folder, 'file');
    writeFileSync(path, 'a much longer old content');
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

  test('syncs the content before the rename and the folder after it', { skip: !hasStrace }, (t) => {
    const folder = makeTempFolder(t);
    const calls = traceCalls(
      folder,
      `durable.writeFileDurably(${JSON.stringify(join(folder, 'file'))}, 'x');`,
    );
    assert.deepEqual(
      calls.map((call) => call.replace(/\(.*/, '')),
      ['write', 'fsync', 'rename', 'fsync'],
    );
    assert.match(calls[1] ?? '', /\.tmp>/);
    assert.doesNotMatch(calls[3] ?? '', /file/);
  });

  test('a rename that fails leaves no file aside', (t) => {
    const folder = makeTempFolder(t);
    mkdirSync(join(folder, 'taken/by a folder'), { recursive: true });
    assert.throws(() => writeFileDurably(join(folder, 'taken'), 'x'), { code: 'EISDIR' });
    assert.deepEqual(readdirSync(folder), ['taken']);
  });

  test('a write that fails leaves the old content and no file aside', (t) => {
    const folder = makeTempFolder(t);
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
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

  test('a folder that is missing is an error', (t) => {
    const path = join(makeTempFolder(t), 'missing/file');
    assert.throws(() => writeFileDurably(path, 'x'), { code: 'ENOENT' });
  });
});

describe('makeDirectoryDurably', () => {
  test('makes the folder and those above it, for its user only', (t) => {
    const folder = makeTempFolder(t);
    makeDirectoryDurably(join(folder, 'a/b/c'));
    for (const each of ['a', 'a/b', 'a/b/c'])
      assert.equal(statSync(join(folder, each)).mode & 0o777, 0o700);
  });

  test('syncs each folder that got a new entry, and no other', { skip: !hasStrace }, (t) => {
    const folder = makeTempFolder(t);
    const calls = traceCalls(
      folder,
      `durable.makeDirectoryDurably(${JSON.stringify(join(folder, 'a/b/c'))});`,
    );
    const synced = calls
      .filter((call) => call.startsWith('fsync'))
      .map((call) => /podup t[^/>]*([^>]*)>/.exec(call)?.[1]);
    assert.deepEqual(synced, ['/a/b', '/a', '']);
  });

  test('a folder that is there is left as it is', (t) => {
    const folder = join(makeTempFolder(t), 'a');
    mkdirSync(folder, { mode: 0o755 });
    makeDirectoryDurably(folder);
    assert.equal(statSync(folder).mode & 0o777, 0o755);
  });

  test('a file in its place is an error', (t) => {
    const path = join(makeTempFolder(t), 'file');
    writeFileSync(path, '');
    assert.throws(() => makeDirectoryDurably(join(path, 'a')), { code: 'ENOTDIR' });
  });
});

test('a folder that is gone cannot be synced', (t) => {
  const path = join(makeTempFolder(t), 'gone');
  assert.throws(() => realFiles.syncDirectory(path), { code: 'ENOENT' });
});
