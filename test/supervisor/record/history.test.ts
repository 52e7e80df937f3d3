import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { parseUpdateHistory, type UpdateOutcome } from '../../../shared/contract/update-history.ts';
import { toHistory } from '../../../supervisor/core/update/outcome.ts';
import { appendHistory } from '../../../supervisor/record/history.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { RECORD } from '../core/update/fixture.ts';
import { quickFiles, recordingFiles } from './recording-files.ts';

const entry = (txn: string, outcome: UpdateOutcome = 'committed') =>
  toHistory({ ...RECORD, txn }, outcome, 1_700_000_000_000);

function makePath(context: TestContext): string {
  return join(makeTempFolder(context), 'update-history.jsonl');
}

const read = (path: string) =>
  parseUpdateHistory(readFileSync(path, 'utf8')).map(({ txn, outcome }) => `${txn} ${outcome}`);

describe('appendHistory', () => {
  test('adds a line for each update, the newest last', (t) => {
    const path = makePath(t);
    appendHistory(path, entry('upd_1'), quickFiles);
    appendHistory(path, entry('upd_2', 'rolled-back'), quickFiles);
    assert.deepEqual(read(path), ['upd_1 committed', 'upd_2 rolled-back']);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('adds an end once, however often it is repeated; a superseded update has two', (t) => {
    const path = makePath(t);
    for (const outcome of ['superseded', 'superseded', 'rolled-back', 'rolled-back'] as const) {
      appendHistory(path, entry('upd_1', outcome), quickFiles);
    }
    assert.deepEqual(read(path), ['upd_1 superseded', 'upd_1 rolled-back']);
  });

  test('makes durable what it finds there: whoever wrote it may have been killed before it was', (t) => {
    const path = makePath(t);
    appendHistory(path, entry('upd_1'), quickFiles);
    const { files, changes } = recordingFiles();
    appendHistory(path, entry('upd_1'), files);
    assert.deepEqual(changes, ['openToAppend update-history.jsonl', 'sync']);
  });

  test('closes a line that was torn off before, and loses nothing but that', (t) => {
    const path = makePath(t);
    appendHistory(path, entry('upd_1'), quickFiles);
    appendFileSync(path, JSON.stringify(entry('upd_2')).slice(0, 40));
    appendHistory(path, entry('upd_2'), quickFiles);
    appendHistory(path, entry('upd_3'), quickFiles);
    assert.deepEqual(read(path), ['upd_1 committed', 'upd_2 committed', 'upd_3 committed']);
  });

  test('keeps the newest five hundred once it has grown large', (t) => {
    const path = makePath(t);
    const lines = Array.from({ length: 4_000 }, (_, n) => `${JSON.stringify(entry(`upd_${n}`))}\n`);
    const content = lines.join('');
    assert.ok(content.length > 2 * 1024 * 1024);
    writeFileSync(path, content);
    appendHistory(path, entry('upd_new'), quickFiles);
    const kept = read(path);
    assert.equal(kept.length, 501);
    assert.deepEqual([kept[0], kept.at(-1)], ['upd_3500 committed', 'upd_new committed']);
  });

  test('passes on what the system refuses', (t) => {
    const path = makePath(t);
    const sync = () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    const append = () => appendHistory(path, entry('upd_1'), { ...quickFiles, sync });
    assert.throws(append, { code: 'ENOSPC' });
  });
});
