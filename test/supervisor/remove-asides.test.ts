import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { programPaths, statePaths } from '../../shared/contract/state-paths.ts';
import { linkDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import { type Files, realFiles } from '../../shared/fs/files.ts';
import { removeAsides } from '../../supervisor/remove-asides.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

/** A host on which everything that a supervisor writes is cut off before it is put in place. */
function makeHost(context: TestContext) {
  const folder = makeTempFolder(context);
  const paths = statePaths(join(folder, 'state'));
  const program = programPaths(join(folder, 'bin', 'program'));
  const kept = join(paths.backupsDir, 'upd_1');
  for (const each of [join(folder, 'bin'), kept, paths.updateAnswersDir, paths.reportsDir]) {
    mkdirSync(each, { recursive: true });
  }
  writeFileSync(program.target, 'program');
  const cutOff: Files = {
    ...realFiles,
    rename: () => {
      throw new Error('cut off');
    },
    unlink: () => {},
  };
  for (const path of [
    ...[paths.updateRecord, paths.quarantine, paths.updatePolicy, paths.updateHistory],
    ...[program.tries, join(kept, 'backup.json'), join(paths.reportsDir, 'report.json')],
    join(paths.updateAnswersDir, 'id.json'),
  ]) {
    assert.throws(() => writeFileDurably(path, 'new', 0o600, cutOff), /cut off/);
  }
  for (const path of [program.old, join(kept, 'program')]) {
    assert.throws(() => linkDurably(program.target, path, cutOff), /cut off/);
  }
  const list = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  return { paths, program, list };
}

describe('removeAsides', () => {
  test('removes all that was written aside by a supervisor that is gone, and nothing else', (t) => {
    const { paths, program, list } = makeHost(t);
    const others = ['update-request.json.12.ab.tmp', 'UPDATE_LOCK.json', 'UPDATE_LOCK.json.bad-7'];
    for (const name of others) writeFileSync(join(paths.dataDir, name), 'theirs');
    writeFileSync(program.staged, 'staged');
    assert.equal(list().length, 10 + others.length + 2);
    removeAsides(paths, program, realFiles);
    assert.deepEqual(list(), [...others, 'program', 'program.new'].sort());
  });

  test('leaves alone what lies beside a program that is not ours', (t) => {
    const { paths, program, list } = makeHost(t);
    removeAsides(paths, null, realFiles);
    assert.equal(list().length, 3);
    assert.ok(list().every((name) => name.startsWith('program')));
    removeAsides(paths, program, realFiles);
    assert.deepEqual(list(), ['program']);
  });

  test('needs no folder, and does not fail on a disk that cannot be written to', (t) => {
    const { paths, program, list } = makeHost(t);
    const unlink = () => {
      throw Object.assign(new Error('no'), { code: 'EROFS' });
    };
    removeAsides(paths, program, { ...realFiles, unlink });
    assert.equal(list().length, 11);
    removeAsides(statePaths('/nowhere/at all'), programPaths('/nowhere/program'), realFiles);
    rmSync(paths.backupsDir, { recursive: true });
    writeFileSync(paths.backupsDir, 'no folder');
    removeAsides(paths, program, realFiles);
    assert.equal(list().length, 2);
  });
});
