import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checkRoom,
  explainDiskError,
  probeFolder,
  type Room,
} from '../../../../app/updates/release/staging-room.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';
import { failureOf } from './release-fixture.ts';

const roomy: Room = { bavail: 1_000, bsize: 4_096, files: 1_000_000, ffree: 1_000 };

describe('checkRoom', () => {
  test('a fifth more than the program has to be free', async () => {
    const room = async () => roomy;
    const free = 1_000 * 4_096;
    assert.equal((await checkRoom('/bin/program', Math.floor(free / 1.2), room)).ok, true);
    const { code, detail } = failureOf(await checkRoom('/bin/program', free / 1.2 + 1, room));
    assert.equal(code, 'UPDATE_DISK_FULL');
    assert.equal(detail, '/bin: 4096000 bytes are free, 4096002 are needed.');
  });

  test('a file system that has no room for further files is full', async () => {
    const { code, detail } = failureOf(
      await checkRoom('/bin/x', 1, async () => ({ ...roomy, ffree: 3 })),
    );
    assert.equal(code, 'UPDATE_DISK_FULL');
    assert.match(detail, /3 more files fit, 16 are needed/);
  });

  test('one that does not count its files is not', async () => {
    const room = async () => ({ ...roomy, files: 0, ffree: 0 });
    assert.equal((await checkRoom('/bin/x', 1, room)).ok, true);
  });

  test('the real one is asked for the folder of the program', async (t) => {
    const folder = makeTempFolder(t);
    assert.equal((await checkRoom(join(folder, 'program'), 1)).ok, true);
    assert.equal(
      failureOf(await checkRoom(join(folder, 'program'), 2 ** 60)).code,
      'UPDATE_DISK_FULL',
    );
    const gone = failureOf(await checkRoom(join(folder, 'none', 'program'), 1));
    assert.deepEqual([gone.code, gone.detail.slice(-9)], ['UPDATE_UNAVAILABLE', '(ENOENT).']);
  });
});

describe('probeFolder', () => {
  test('a folder where everything works is as it was', (t) => {
    const folder = makeTempFolder(t);
    writeFileSync(join(folder, 'program.probe'), 'of one that was killed');
    assert.equal(probeFolder(join(folder, 'program')).ok, true);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('one that is not there, or where renaming fails, is not to be used', (t) => {
    const folder = makeTempFolder(t);
    const none = failureOf(probeFolder(join(folder, 'none', 'program')));
    assert.deepEqual([none.code, none.detail.slice(-9)], ['UPDATE_UNAVAILABLE', '(ENOENT).']);
    mkdirSync(join(folder, 'program.probe.2', 'in the way'), { recursive: true });
    assert.equal(failureOf(probeFolder(join(folder, 'program'))).code, 'UPDATE_STAGING_FAILED');
    assert.deepEqual(readdirSync(folder), ['program.probe.2']);
  });

  test('one of the kernel, where nobody may make files, is not to be used', () => {
    const { code, detail } = failureOf(probeFolder('/proc/program'));
    assert.equal(code, 'UPDATE_UNAVAILABLE');
    assert.match(detail, /^\/proc cannot be changed \(ENOENT\)\.$/);
  });
});

describe('explainDiskError', () => {
  for (const [errno, code] of [
    ['ENOSPC', 'UPDATE_DISK_FULL'],
    ['EDQUOT', 'UPDATE_DISK_FULL'],
    ['EFBIG', 'UPDATE_DISK_FULL'],
    ['EROFS', 'UPDATE_UNAVAILABLE'],
    ['EACCES', 'UPDATE_UNAVAILABLE'],
    ['EIO', 'UPDATE_STAGING_FAILED'],
  ] as const) {
    test(`${errno} is ${code}`, () => {
      const error = Object.assign(new Error('failed'), { code: errno });
      assert.equal(explainDiskError(error, 'here').code, code);
    });
  }

  test('what is no error of the system is thrown on', () => {
    assert.throws(() => explainDiskError(new TypeError('a bug'), 'here'), /a bug/);
  });
});
