import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { renameDurably } from '../../../shared/fs/durable-file.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const MODULE = new URL('../../../shared/fs/durable-file.ts', import.meta.url).href;

const hasStrace = spawnSync('strace', ['-V']).status === 0;

describe('renameDurably', () => {
  test('gives a file its new name and keeps what is in it', (t) => {
    const folder = makeTempFolder(t);
    writeFileSync(join(folder, 'old'), 'content');
    renameDurably(join(folder, 'old'), join(folder, 'new'));
    assert.deepEqual(readdirSync(folder), ['new']);
    assert.equal(readFileSync(join(folder, 'new'), 'utf8'), 'content');
  });

  test('syncs the folder after the rename', { skip: !hasStrace }, (t) => {
    const folder = makeTempFolder(t);
    const [from, to] = [join(folder, 'old'), join(folder, 'new')];
    writeFileSync(from, '');
    const log = join(folder, 'calls');
    const script = `import { renameDurably } from ${JSON.stringify(MODULE)};
      renameDurably(${JSON.stringify(from)}, ${JSON.stringify(to)});`;
    execFileSync('strace', [
      ...['-f', '-y', '-e', 'trace=fsync,rename,renameat2', '-o', log],
      ...[process.execPath, '--input-type=module', '-e', script],
    ]);
    const calls = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith(' = 0') && line.includes('podup t'))
      .map((line) => /^\d+ +(\w+)\(/.exec(line)?.[1]);
    assert.deepEqual(calls, ['rename', 'fsync']);
  });

  test('a file that is not there is an error', (t) => {
    const path = join(makeTempFolder(t), 'gone');
    assert.throws(() => renameDurably(path, `${path}.damaged`), { code: 'ENOENT' });
  });
});
