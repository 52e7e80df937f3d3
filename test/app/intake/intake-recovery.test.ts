import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { listSegments } from '../../../app/intake/segments.ts';
import { encodeSpoolEntry } from '../../../app/intake/spool-format.ts';
import { openTestIntake } from '../../helpers/intake.ts';
import { deadSegmentName, segmentName, spoolEntry, writeSegment } from '../../helpers/spool.ts';

const ACCEPT = join(import.meta.dirname, '../../fixtures/accept-deliveries.ts');

function entriesOf(count: number) {
  return Array.from({ length: count }, (_, index) => spoolEntry({ id: `dlv_${index}` }));
}

test('an empty spool is recovered without a word', (t) => {
  const { intake, lines, reports } = openTestIntake(t);
  void intake.recover();
  assert.deepEqual([lines, reports()], [[], 0]);
});

test('what an earlier process accepted is taken over once, oldest first, and its segments go', (t) => {
  const { intake, folder, storedIds } = openTestIntake(t);
  writeSegment(folder, deadSegmentName(2), [spoolEntry({ id: 'dlv_b' })]);
  writeSegment(folder, deadSegmentName(1), entriesOf(1_201));
  void intake.recover();
  assert.deepEqual(storedIds(), [...entriesOf(1_201).map(({ record }) => record.id), 'dlv_b']);
  assert.deepEqual(listSegments(folder), []);
  void intake.recover();
  assert.equal(storedIds().length, 1_202);
});

test('a recovery that breaks off in the middle of a segment is repeated without a repetition', (t) => {
  const { intake, folder, reports, sql, storedIds } = openTestIntake(t);
  writeSegment(folder, deadSegmentName(), entriesOf(1_201));
  sql(`CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN NEW.id = 'dlv_700'
    BEGIN SELECT RAISE(ABORT, 'refused on purpose'); END`);
  assert.throws(() => intake.recover(), /refused on purpose/);
  assert.equal(storedIds().length, 500);
  sql('DROP TRIGGER refuse');
  void intake.recover();
  assert.deepEqual(
    storedIds(),
    entriesOf(1_201).map(({ record }) => record.id),
  );
  assert.equal(reports(), 1, 'all join the first task');
});

test('a segment that was cut off in the middle of an entry gives all before it', (t) => {
  const { intake, folder, lines, storedIds } = openTestIntake(t);
  const bytes = Buffer.concat(entriesOf(3).map(encodeSpoolEntry));
  writeFileSync(join(folder, deadSegmentName()), bytes.subarray(0, -1));
  void intake.recover();
  assert.deepEqual(storedIds(), ['dlv_0', 'dlv_1']);
  assert.deepEqual([listSegments(folder), lines], [[], []]);
});

test('a segment whose last entry has a bad byte is kept aside, for that entry was acknowledged', (t) => {
  const { intake, folder, lines, storedIds } = openTestIntake(t);
  const bytes = Buffer.concat(entriesOf(3).map(encodeSpoolEntry));
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const name = deadSegmentName();
  writeFileSync(join(folder, name), bytes);
  void intake.recover();
  assert.deepEqual(storedIds(), ['dlv_0', 'dlv_1']);
  assert.equal(lines.length, 1);
  assert.ok(existsSync(join(folder, `${name}.damaged`)));
});

describe('a damaged segment', () => {
  function damaged(): Buffer {
    const [first, second, third] = entriesOf(3).map(encodeSpoolEntry) as [Buffer, Buffer, Buffer];
    second[30] = (second[30] ?? 0) ^ 4;
    return Buffer.concat([first, second, third]);
  }

  test('gives what is whole, is reported, and is kept aside for a person', (t) => {
    const { intake, folder, lines, storedIds, store } = openTestIntake(t);
    const name = deadSegmentName();
    writeFileSync(join(folder, name), damaged());
    void intake.recover();
    assert.deepEqual(storedIds(), ['dlv_0', 'dlv_2']);
    assert.ok(existsSync(join(folder, `${name}.damaged`)));
    assert.deepEqual(listSegments(folder), []);
    assert.deepEqual([lines.length, lines[0]?.['segment']], [1, name]);
    assert.equal(store.segments.consumedBytes(name), 0);
  });

  test('that another process still writes is left where it is', (t) => {
    const { intake, folder, lines, storedIds } = openTestIntake(t);
    const name = segmentName(process.ppid);
    writeFileSync(join(folder, name), damaged());
    void intake.recover();
    assert.deepEqual(storedIds(), ['dlv_0', 'dlv_2']);
    assert.deepEqual(listSegments(folder), [name]);
    assert.equal(lines.length, 0);
  });

  test('that is damaged while it is being written is kept aside once it is finished', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, folder, storedIds } = openTestIntake(t);
    await intake.accept(spoolEntry({ id: 'dlv_a' }));
    await intake.accept(spoolEntry({ id: 'dlv_b' }));
    const [name = ''] = listSegments(folder);
    const bytes = readFileSync(join(folder, name));
    bytes[30] = (bytes[30] ?? 0) ^ 4;
    writeFileSync(join(folder, name), bytes);
    void intake.recover();
    assert.deepEqual(storedIds(), ['dlv_b']);
    await intake.close();
    assert.ok(existsSync(join(folder, `${name}.damaged`)));
  });
});

test('a segment of another process is taken over at once and deleted only after that one is gone', async (t) => {
  const child = spawn('sleep', ['60']);
  t.after(() => child.kill());
  await once(child, 'spawn');
  const { intake, folder, storedIds } = openTestIntake(t);
  const name = segmentName(child.pid ?? 0);
  writeSegment(folder, name, entriesOf(2));
  void intake.recover();
  assert.deepEqual(storedIds(), ['dlv_0', 'dlv_1']);
  assert.deepEqual(listSegments(folder), [name]);
  writeSegment(folder, name, entriesOf(3));
  void intake.recover();
  assert.deepEqual(storedIds(), ['dlv_0', 'dlv_1', 'dlv_2']);
  child.kill();
  await once(child, 'exit');
  void intake.recover();
  assert.deepEqual(listSegments(folder), []);
  assert.equal(storedIds().length, 3);
});

for (const wanted of [1, 300, 1_500])
  test(`a process killed after ${wanted} acknowledgements has lost none and repeats none`, {
    timeout: 120_000,
  }, async (t) => {
    const { intake, folder, databasePath, storedIds, store } = openTestIntake(t);
    const child = spawn(process.execPath, [ACCEPT, folder, databasePath], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === wanted) child.kill('SIGKILL');
    }
    assert.equal(child.signalCode ?? (await once(child, 'exit'))[1], 'SIGKILL');
    assert.ok(acknowledged.length >= wanted);
    // The last line may be torn by the kill.
    const whole = acknowledged.filter((id) => id.length === 23);
    void intake.recover();
    const stored = storedIds();
    const found = new Set(stored);
    assert.deepEqual(
      whole.filter((id) => !found.has(id)),
      [],
    );
    assert.equal(found.size, stored.length);
    assert.equal(store.tasks.list({ limit: 9 }).length, 1, 'all of them share one task');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('.spool')),
      [],
    );
  });
