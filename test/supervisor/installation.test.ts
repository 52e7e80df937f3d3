import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { realFiles } from '../../shared/fs/files.ts';
import { findInstallation, workerCommand } from '../../supervisor/installation.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';

/** A folder with a program at `bin/program`, and `find`, which starts from a file in it. */
function makeHost(context: TestContext) {
  const folder = makeTempFolder(context);
  mkdirSync(join(folder, 'bin'));
  const target = join(folder, 'bin/program');
  writeFileSync(target, 'content', { mode: 0o755 });
  const find = (own: string, environment: NodeJS.ProcessEnv = { PODUP_TARGET_BIN: target }) =>
    findInstallation({ execPath: own, entryArgs: [], environment });
  return { folder, target, find };
}

describe('findInstallation', () => {
  test('knows the program at the target', (t) => {
    const { target, find } = makeHost(t);
    assert.deepEqual(find(target), {
      program: {
        target,
        staged: `${target}.new`,
        partial: `${target}.partial`,
        old: `${target}.old`,
        tries: `${target}.tries`,
      },
      slot: 'target',
      unavailable: null,
    });
  });

  test('knows the one before it, also where nothing lies at the target', (t) => {
    const { target, find } = makeHost(t);
    writeFileSync(`${target}.old`, 'older');
    assert.deepEqual(
      [find(`${target}.old`).slot, find(`${target}.old`).unavailable],
      ['old', null],
    );
    rmSync(target);
    const { slot, program } = find(`${target}.old`);
    assert.deepEqual([slot, program.target], ['old', target]);
  });

  test('any other program cannot be updated, and says as what it runs', (t) => {
    const { folder, target, find } = makeHost(t);
    const other = join(folder, 'other');
    writeFileSync(other, 'content');
    const { slot, unavailable } = find(other);
    assert.equal(slot, 'elsewhere');
    assert.deepEqual(unavailable, {
      code: 'UPDATE_UNAVAILABLE',
      detail: `It runs as ${other}, not as ${target}.`,
    });
  });

  test('one that is gone meanwhile is still known by its name only', (t) => {
    const { folder, target, find } = makeHost(t);
    const gone = join(folder, 'gone');
    const { slot, unavailable } = find(gone);
    const detail = `It runs as ${gone}, not as ${target}.`;
    assert.deepEqual([slot, unavailable?.detail], ['elsewhere', detail]);
    rmSync(target);
    assert.equal(find(target).slot, 'target');
  });

  test('goes by the file of the program, not by Node, which runs it', (t) => {
    const { target } = makeHost(t);
    const started = {
      execPath: process.execPath,
      entryArgs: ['--no-warnings', target],
      environment: { PODUP_TARGET_BIN: target },
    };
    assert.equal(findInstallation(started).slot, 'target');
    const other = {
      ...started,
      entryArgs: [],
      environment: { PODUP_TARGET_BIN: process.execPath },
    };
    assert.equal(findInstallation(other).slot, 'target');
  });

  test('a link at the target stays a link: what it names is exchanged', (t) => {
    const { folder, target, find } = makeHost(t);
    const link = join(folder, 'link');
    symlinkSync(target, link);
    const found = find(link, { PODUP_TARGET_BIN: link });
    assert.deepEqual([found.slot, found.program.target], ['target', target]);
    renameSync(target, `${target}.old`);
    assert.deepEqual(find(`${target}.old`, { PODUP_TARGET_BIN: link }).program.target, link);
  });

  test('a link in the way to it makes no difference', (t) => {
    const { folder, target, find } = makeHost(t);
    symlinkSync(join(folder, 'bin'), join(folder, 'way'));
    const throughLink = join(folder, 'way/program');
    assert.equal(find(throughLink, { PODUP_TARGET_BIN: target }).slot, 'target');
    assert.equal(find(target, { PODUP_TARGET_BIN: throughLink }).slot, 'target');
  });

  test('the target has two names, the older of which counts less, and a place of its own', (t) => {
    const { folder, target, find } = makeHost(t);
    const other = join(folder, 'other');
    const both = { PODUP_TARGET_BIN: target, TARGET_BIN: other };
    assert.equal(find(target, both).slot, 'target');
    assert.equal(find(target, { PODUP_TARGET_BIN: '', TARGET_BIN: target }).slot, 'target');
    const home = { HOME: folder };
    assert.equal(find(target, home).program.target, join(folder, '.local/bin/pod-upgrade-trigger'));
  });
});

describe('workerCommand', () => {
  const ENVIRONMENT = { PATH: '/bin' };

  test('is the program at the target, and names it', (t) => {
    const { target, find } = makeHost(t);
    const started = { execPath: target, entryArgs: [], environment: {} };
    assert.deepEqual(workerCommand(find(target), started, ENVIRONMENT, realFiles), {
      file: target,
      args: ['http-server'],
      environment: { PATH: '/bin', PODUP_TARGET_BIN: target },
    });
  });

  for (const [title, spoil] of [
    ['nothing', (path: string) => rmSync(path)],
    ['something that may not be run', (path: string) => chmodSync(path, 0o644)],
    ['an empty file', (path: string) => writeFileSync(path, '')],
  ] as const) {
    test(`is the one before where ${title} lies there`, (t) => {
      const { target, find } = makeHost(t);
      const installation = find(target);
      spoil(target);
      const started = { execPath: target, entryArgs: [], environment: {} };
      const { file } = workerCommand(installation, started, ENVIRONMENT, realFiles);
      assert.equal(file, `${target}.old`);
    });
  }

  test('is the one before where nobody can say what lies there', (t) => {
    const { target, find } = makeHost(t);
    const facts = () => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    };
    const started = { execPath: target, entryArgs: [], environment: {} };
    const files = { ...realFiles, facts };
    assert.equal(workerCommand(find(target), started, ENVIRONMENT, files).file, `${target}.old`);
  });

  test('is this very program where it is not updated', (t) => {
    const { folder, find } = makeHost(t);
    const started = { execPath: '/node', entryArgs: ['--flag', 'main.mjs'], environment: {} };
    assert.deepEqual(workerCommand(find(folder), started, ENVIRONMENT, realFiles), {
      file: '/node',
      args: ['--flag', 'main.mjs', 'http-server'],
      environment: ENVIRONMENT,
    });
  });
});
