import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashFile } from '../../../shared/config/program-file.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const MODULE = join(import.meta.dirname, '../../../shared/config/program-file.ts');

test('the program is the script that Node was started with, as an absolute path', (t) => {
  const folder = makeTempFolder(t);
  const script = join(folder, 'program.mjs');
  writeFileSync(
    script,
    `import { programFile } from ${JSON.stringify(MODULE)}; process.stdout.write(programFile());`,
  );
  const run = (words: string[]) =>
    execFileSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
  assert.equal(run(['program.mjs', 'supervise']), script);
});

test('without a script it is the executable', () => {
  const code = `import(${JSON.stringify(MODULE)}).then((m) => process.stdout.write(m.programFile()))`;
  const said = execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  assert.equal(said, process.execPath);
});

test('a file that is longer than one piece is hashed whole', async (t) => {
  const file = join(makeTempFolder(t), 'long');
  const content = Buffer.alloc(3_000_000, 'abc');
  writeFileSync(file, content);
  assert.equal(await hashFile(file), createHash('sha256').update(content).digest('hex'));
});

test('a file that is not there is an error of the system', async (t) => {
  await assert.rejects(hashFile(join(makeTempFolder(t), 'none')), { code: 'ENOENT' });
});
