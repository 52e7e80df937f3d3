// Needs: strace
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createDurably } from '../../../shared/fs/durable-file.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { traceCalls } from './trace-calls.ts';

const MODULE = new URL('../../../shared/fs/durable-file.ts', import.meta.url).href;

describe('createDurably', () => {
  test('makes a file that only its user can read, and leaves nothing aside', (t) => {
    const folder = makeTempFolder(t);
    createDurably(join(folder, 'ä file'), 'grün');
    assert.deepEqual(readdirSync(folder), ['ä file']);
    assert.equal(readFileSync(join(folder, 'ä file'), 'utf8'), 'grün');
    assert.equal(statSync(join(folder, 'ä file')).mode & 0o777, 0o600);
  });

  test('what is there already stays, and nothing is left aside', (t) => {
    const folder = makeTempFolder(t);
    writeFileSync(join(folder, 'file'), 'first');
    assert.throws(() => createDurably(join(folder, 'file'), 'second'), { code: 'EEXIST' });
    assert.deepEqual(readdirSync(folder), ['file']);
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'first');
  });

  test('syncs the content before it has its name and the folder afterwards', (t) => {
    const folder = makeTempFolder(t);
    assert.deepEqual(traceCalls(t, folder, `durable.createDurably(at('file'), 'x');`), [
      'write file.*.tmp',
      'fsync file.*.tmp',
      'link file.*.tmp file',
      'unlink file.*.tmp',
      'fsync .',
    ]);
  });

  test('a sync that fails makes no file', (t) => {
    const folder = makeTempFolder(t);
    const sync = () => {
      throw Object.assign(new Error('i/o error'), { code: 'EIO' });
    };
    const create = () => createDurably(join(folder, 'file'), 'x', 0o600, { ...realFiles, sync });
    assert.throws(create, { code: 'EIO' });
    assert.deepEqual(readdirSync(folder), []);
  });

  test('of several that try at once exactly one makes it, whole', async (t) => {
    const path = join(makeTempFolder(t), 'file');
    const script = `const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.module).then(({ createDurably }) => {
        try { createDurably(workerData.path, workerData.content); parentPort.postMessage(true); }
        catch (error) { parentPort.postMessage(error.code); }
      });`;
    const contents = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100_000));
    const results = await Promise.all(
      contents.map(async (content) => {
        const workerData = { module: MODULE, path, content };
        const worker = new Worker(script, { eval: true, workerData });
        const [result] = await once(worker, 'message');
        await worker.terminate();
        return result;
      }),
    );
    const maker = results.indexOf(true);
    assert.deepEqual(results.toSorted(), ['EEXIST', 'EEXIST', 'EEXIST', true]);
    assert.ok(readFileSync(path, 'utf8') === contents[maker]);
  });
});
