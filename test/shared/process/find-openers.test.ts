import assert from 'node:assert/strict';
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { programPaths } from '../../../shared/contract/state-paths.ts';
import { clearOpeners, findOpeners } from '../../../shared/process/find-openers.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** A script that opens the file that it is given, says so, and stays. */
const HOLD = `require('node:fs').openSync(process.argv.find((word) => word.includes('x.db'))); console.log('open'); setInterval(() => {}, 1e9);`;

function makeDatabase(context: TestContext): string {
  const path = join(makeTempFolder(context), 'x.db');
  for (const side of ['', '-wal', '-shm']) writeFileSync(`${path}${side}`, 'content');
  return path;
}

/** A process that has a file open; `script` is what it is started as. */
async function hold(context: TestContext, path: string, script?: string): Promise<ChildProcess> {
  const file = script ?? join(makeTempFolder(context), 'hold.cjs');
  writeFileSync(file, HOLD);
  const words = [file, path, 'zgeheim', 'zgeheim'];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  if (child.stdout) await once(child.stdout, 'data');
  return child;
}

const pidsOf = (path: string) => findOpeners(path).map(({ pid }) => pid);

test('whoever has the database, its log or its index open is found, with the first words of the command', async (t) => {
  const path = makeDatabase(t);
  assert.deepEqual(findOpeners(path), []);
  const held = await Promise.all(['', '-wal', '-shm'].map((side) => hold(t, `${path}${side}`)));
  assert.deepEqual(pidsOf(path).sort(), held.map(({ pid }) => pid).sort());
  const [opener] = findOpeners(path);
  assert.match(opener?.command ?? '', /node .*hold\.cjs .*x\.db/);
  assert.doesNotMatch(opener?.command ?? '', /zgeheim/);
});

test('another path to the same file hides nobody, and a file of the same name is another', async (t) => {
  const path = makeDatabase(t);
  const other = makeTempFolder(t);
  symlinkSync(dirname(path), join(other, 'link'));
  const child = await hold(t, join(other, 'link/x.db'));
  writeFileSync(join(other, 'x.db'), 'another');
  await hold(t, join(other, 'x.db'));
  assert.deepEqual(pidsOf(path), [child.pid]);
});

test('this process itself and whoever has ended are not found', async (t) => {
  const path = makeDatabase(t);
  const own = openSync(path, 'r');
  t.after(() => closeSync(own));
  const child = await hold(t, path);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(findOpeners(path), []);
});

test('a database that is not there is open nowhere', (t) => {
  assert.deepEqual(findOpeners(join(makeTempFolder(t), 'x.db')), []);
});

test('what is left of our own program is ended, whichever of its files it runs as; others are named', async (t) => {
  const path = makeDatabase(t);
  const folder = makeTempFolder(t);
  const program = programPaths(join(folder, 'program'));
  const own = [];
  for (const file of [program.target, program.old]) own.push(await hold(t, path, file));
  // A single executable has no script, and its file may have been exchanged meanwhile.
  const other = join(folder, 'bin');
  mkdirSync(other);
  const executable = programPaths(join(other, 'node'));
  cpSync(process.execPath, executable.target);
  const stdio = ['ignore', 'pipe', 'inherit'] satisfies StdioOptions;
  const single = spawn(executable.target, ['-e', HOLD, path], { stdio, argv0: 'x' });
  t.after(() => single.kill('SIGKILL'));
  if (single.stdout) await once(single.stdout, 'data');
  rmSync(executable.target);
  const foreign = await hold(t, `${path}-wal`);

  const ends = own.map((child) => once(child, 'exit'));
  const named = clearOpeners(path, program);
  assert.deepEqual(await Promise.all(ends), [
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
  ]);
  assert.equal(named.length, 2);
  assert.match(named.join('\n'), new RegExp(`^process ${foreign.pid} \\(.*hold\\.cjs`, 'm'));
  const end = once(single, 'exit');
  assert.equal(clearOpeners(path, executable).length, 1);
  assert.deepEqual(await end, [null, 'SIGKILL']);
  assert.deepEqual(pidsOf(path), [foreign.pid]);
});
