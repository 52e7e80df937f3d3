import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  deleteSegment,
  isOwnedByOther,
  listSegments,
  readSegment,
  setSegmentAside,
} from '../../../app/intake/segments.ts';
import { encodeSpoolEntry } from '../../../app/intake/spool-format.ts';
import { deadSegmentName, segmentName, spoolEntry, writeSegment } from '../../helpers/spool.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const ENTRIES = ['dlv_1', 'dlv_2', 'dlv_3'].map((id) => spoolEntry({ id }));
const SIZE = encodeSpoolEntry(spoolEntry()).length;

test('segments are listed oldest first, and nothing else is', (t) => {
  const folder = makeTempFolder(t);
  const names = [3, 1, 2].map((time) => deadSegmentName(time * 10_000_000_000));
  for (const name of [...names, `${deadSegmentName(9)}.damaged`, 'notes.txt'])
    writeFileSync(join(folder, name), '');
  assert.deepEqual(listSegments(folder), names.toSorted());
});

test('a segment is read from an offset on', (t) => {
  const folder = makeTempFolder(t);
  writeSegment(folder, 'a.spool', ENTRIES);
  assert.deepEqual(readSegment(folder, 'a.spool', SIZE), {
    entries: ENTRIES.slice(1),
    end: 3 * SIZE,
    damaged: 0,
    rest: 0,
  });
});

test('an offset behind the end of a segment that was cut off reads as nothing', (t) => {
  const folder = makeTempFolder(t);
  writeSegment(folder, 'a.spool', ENTRIES);
  const end = 4 * SIZE;
  assert.deepEqual(readSegment(folder, 'a.spool', end), { entries: [], end, damaged: 0, rest: 0 });
});

test('damaged stretches are counted and passed over', (t) => {
  const folder = makeTempFolder(t);
  const [first, second, third] = ENTRIES.map(encodeSpoolEntry) as [Buffer, Buffer, Buffer];
  second[20] = (second[20] ?? 0) ^ 1;
  writeFileSync(join(folder, 'a.spool'), Buffer.concat([first, second, third]));
  assert.deepEqual(readSegment(folder, 'a.spool', 0), {
    entries: [ENTRIES[0], ENTRIES[2]],
    end: 3 * SIZE,
    damaged: 1,
    rest: 0,
  });
});

test('a segment that another process has deleted meanwhile holds nothing', (t) => {
  const nothing = { entries: [], end: 7, damaged: 0, rest: 0 };
  assert.deepEqual(readSegment(makeTempFolder(t), 'gone.spool', 7), nothing);
});

test('a segment that cannot be read is an error, not an empty one', (t) => {
  const folder = makeTempFolder(t);
  mkdirSync(join(folder, 'a.spool'));
  assert.throws(() => readSegment(folder, 'a.spool', 0), { code: 'EISDIR' });
  assert.throws(() => readSegment(folder, 'a.spool/x/y\0', 0), { code: 'ERR_INVALID_ARG_VALUE' });
});

test('a segment belongs to another process as long as that one lives', async (t) => {
  const child = spawn('sleep', ['60']);
  t.after(() => child.kill());
  await once(child, 'spawn');
  const name = segmentName(child.pid ?? 0);
  assert.equal(isOwnedByOther(name), true);
  child.kill();
  await once(child, 'exit');
  assert.equal(isOwnedByOther(name), false);
});

for (const [title, name] of [
  ['our own', segmentName(process.pid)],
  ['one of a process long dead', deadSegmentName()],
  ['one whose name says nothing', 'x.spool'],
] as const)
  test(`${title} belongs to no other`, () => assert.equal(isOwnedByOther(name), false));

test('a segment is deleted, twice if need be', (t) => {
  const folder = makeTempFolder(t);
  writeSegment(folder, 'a.spool', ENTRIES);
  deleteSegment(folder, 'a.spool');
  deleteSegment(folder, 'a.spool');
  assert.ok(!existsSync(join(folder, 'a.spool')));
});

test('a segment that is set aside is kept and no longer listed', (t) => {
  const folder = makeTempFolder(t);
  writeSegment(folder, 'a.spool', ENTRIES);
  setSegmentAside(folder, 'a.spool');
  assert.deepEqual(readdirSync(folder), ['a.spool.damaged']);
  assert.deepEqual(listSegments(folder), []);
});
