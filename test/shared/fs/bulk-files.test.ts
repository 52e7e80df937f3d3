// Needs: strace
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const MODULE = new URL('../../../shared/fs/bulk-files.ts', import.meta.url).href;
/** Larger than what is read at a time. */
const LARGE = Buffer.alloc(3_000_000, 'grün');

describe('copy', () => {
  test('makes a file with the same content, and replaces one', async (t) => {
    const folder = makeTempFolder(t);
    const [from, to] = [join(folder, 'ä from'), join(folder, 'to')];
    for (const content of [LARGE, Buffer.from('short'), Buffer.alloc(0)]) {
      writeFileSync(from, content);
      await realBulkFiles.copy(from, to);
      assert.deepEqual(readFileSync(to), content);
    }
  });

  test('is over when the content is on the disk', (t) => {
    const folder = makeTempFolder(t);
    const [from, to, log] = ['from', 'to', 'calls'].map((name) => join(folder, name));
    writeFileSync(from ?? '', LARGE);
    const script = `import { realBulkFiles } from ${JSON.stringify(MODULE)};
      await realBulkFiles.copy(${JSON.stringify(from)}, ${JSON.stringify(to)});
      process.stdout.write('over');`;
    execFileSync('strace', [
      ...['-f', '-y', '-e', 'trace=fsync,write', '-o', log ?? ''],
      ...[process.execPath, '--input-type=module', '-e', script],
    ]);
    const calls = readFileSync(log ?? '', 'utf8').split('\n');
    const synced = calls.findIndex((line) => /fsync\(\d+<.*\/to>/.test(line));
    const over = calls.findIndex((line) => line.includes('"over"'));
    assert.ok(synced >= 0 && synced < over, `${synced}, ${over}`);
  });

  test('of what is missing, or to where nothing can be, is an error', async (t) => {
    const folder = makeTempFolder(t);
    const path = join(folder, 'file');
    await assert.rejects(realBulkFiles.copy(path, join(folder, 'to')), { code: 'ENOENT' });
    writeFileSync(path, 'x');
    mkdirSync(join(folder, 'sub'));
    await assert.rejects(realBulkFiles.copy(path, join(folder, 'sub')), { code: 'EISDIR' });
    await assert.rejects(realBulkFiles.copy(path, join(folder, 'gone/to')), { code: 'ENOENT' });
  });
});

describe('hash', () => {
  for (const content of [Buffer.alloc(0), Buffer.from('grün'), LARGE])
    test(`of ${content.length} bytes is their SHA-256`, async (t) => {
      const path = join(makeTempFolder(t), 'file');
      writeFileSync(path, content);
      const expected = createHash('sha256').update(content).digest('hex');
      assert.equal(await realBulkFiles.hash(path), expected);
    });

  test('of what is missing or a folder is an error', async (t) => {
    const folder = makeTempFolder(t);
    await assert.rejects(realBulkFiles.hash(join(folder, 'gone')), { code: 'ENOENT' });
    await assert.rejects(realBulkFiles.hash(folder), { code: 'EISDIR' });
  });
});
