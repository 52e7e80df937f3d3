import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Files, realFiles } from '../../../shared/fs/files.ts';
import { readRecord, removeRecord, writeRecord } from '../../../supervisor/record/record-store.ts';
import { systemFailure } from '../../../supervisor/record/system-failure.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { RECORD } from '../core/update/fixture.ts';
import { damages, furtherDamages, untouched } from './damaged-record.ts';

const WALL_MS = 1_700_000_000_000;

function makePath(context: TestContext): string {
  return join(makeTempFolder(context), 'UPDATE_LOCK.json');
}

const refuse = (code: string) => () => {
  throw Object.assign(new Error(`${code}: no`), { code });
};

describe('the record', () => {
  test('is read as it was written, for its owner only', (t) => {
    const path = makePath(t);
    writeRecord(path, RECORD, realFiles);
    assert.deepEqual(readRecord(path, realFiles, WALL_MS), { kind: 'record', record: RECORD });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    writeRecord(path, { ...RECORD, seq: 6 }, realFiles);
    const again = readRecord(path, realFiles, WALL_MS);
    assert.equal(again.kind === 'record' && again.record.seq, 6);
  });

  test('is none where there is none, before and after', (t) => {
    const path = makePath(t);
    assert.deepEqual(readRecord(path, realFiles, WALL_MS), { kind: 'none' });
    removeRecord(path, realFiles);
    writeRecord(path, RECORD, realFiles);
    removeRecord(path, realFiles);
    assert.deepEqual(readRecord(path, realFiles, WALL_MS), { kind: 'none' });
  });

  test('lacks nothing where only the end of its line was cut off', (t) => {
    const path = makePath(t);
    writeRecord(path, RECORD, realFiles);
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    assert.deepEqual(readRecord(path, realFiles, WALL_MS), { kind: 'record', record: RECORD });
  });

  test('that cannot be written is told by the error of the system, and the one before stays', (t) => {
    const path = makePath(t);
    writeRecord(path, RECORD, realFiles);
    const files: Files = { ...realFiles, sync: refuse('EIO') };
    assert.throws(() => writeRecord(path, { ...RECORD, seq: 9 }, files), { code: 'EIO' });
    const reading = readRecord(path, realFiles, WALL_MS);
    assert.equal(reading.kind === 'record' && reading.record.seq, RECORD.seq);
    assert.equal(readdirSync(join(path, '..')).length, 1);
  });
});

describe('a damaged record', () => {
  for (const [title, damage] of [...damages(), ...furtherDamages()]) {
    test(`${title}: is moved aside, as it is`, (t) => {
      const path = makePath(t);
      writeRecord(path, RECORD, realFiles);
      const bytes = damage(readFileSync(path));
      writeFileSync(path, bytes);
      const reading = readRecord(path, realFiles, WALL_MS);
      assert.equal(reading.kind, 'broken', JSON.stringify(reading));
      assert.deepEqual(readFileSync(`${path}.bad-${WALL_MS}`), Buffer.from(bytes));
      assert.deepEqual(readRecord(path, realFiles, WALL_MS), { kind: 'none' });
    });
  }

  test('of a newer program is left alone', (t) => {
    const path = makePath(t);
    const content = untouched();
    writeFileSync(path, content);
    assert.deepEqual(readRecord(path, realFiles, WALL_MS), { kind: 'newer', v: 2 });
    assert.equal(readFileSync(path, 'utf8'), content);
  });

  test('that cannot be read, or is a folder, is as good as broken', (t) => {
    const path = makePath(t);
    mkdirSync(path);
    assert.deepEqual(readRecord(path, realFiles, WALL_MS), {
      kind: 'broken',
      reason: 'it cannot be read (EISDIR)',
    });
    writeRecord(path, RECORD, realFiles);
    const files: Files = { ...realFiles, read: refuse('EIO') };
    assert.equal(readRecord(path, files, WALL_MS + 1).kind, 'broken');
  });

  test('that cannot be moved aside does not keep the service from running', (t) => {
    const path = makePath(t);
    writeFileSync(path, 'torn');
    const files: Files = { ...realFiles, rename: refuse('ENOSPC') };
    const reason = 'it is no JSON object and cannot be moved aside (ENOSPC)';
    assert.deepEqual(readRecord(path, files, WALL_MS), { kind: 'broken', reason });
  });
});

describe('systemFailure', () => {
  test('names what the system refused', () => {
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    assert.deepEqual(systemFailure(full), {
      code: 'UPDATE_RECORD_UNWRITABLE',
      detail: 'ENOSPC no space left',
    });
    assert.equal(systemFailure(new Error('x'.repeat(900))).detail.length, 500);
    assert.equal(systemFailure('gone').detail, 'gone');
  });
});
