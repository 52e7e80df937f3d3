import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { backUpDatabase } from '../../../app/db/backup-database.ts';
import { openStore, type Store } from '../../../app/db/store.ts';
import { listSegments } from '../../../app/intake/segments.ts';
import { encodeSpoolEntry } from '../../../app/intake/spool-format.ts';
import { SpoolTaker } from '../../../app/intake/spool-taker.ts';
import { keepLog } from '../../helpers/log-lines.ts';
import { deadSegmentName, segmentName, spoolEntry, writeSegment } from '../../helpers/spool.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const SEGMENT = deadSegmentName(1);

/** A taker over a database that may be an old one. */
function startTaker(context: TestContext, folder: string, databasePath: string) {
  const opened = openStore(databasePath, { version: '0', nowMs: 1 });
  assert.ok(opened.ok, JSON.stringify(opened));
  const store = opened.value;
  const { log, lines } = keepLog();
  const update = { isOpen: false };
  const taken: string[] = [];
  const taker = new SpoolTaker({
    folder,
    store,
    log,
    onTaken: (deliveries) => taken.push(...deliveries.map(({ id }) => id)),
    rules: { windowMs: 0 },
    isUpdateOpen: () => update.isOpen,
  });
  const close = () => {
    taker.close();
    store.close();
  };
  context.after(() => {
    taker.close();
    store.close();
  });
  return { taker, store, lines, update, taken, close };
}

function makeFolders(context: TestContext) {
  const root = makeTempFolder(context);
  return { folder: root, database: join(root, 'data/x.db') };
}

const taskUnits = (store: Store) => store.tasks.list({ limit: 99 }).map(({ unit }) => unit);

describe('while an update is open', () => {
  test('a segment that is taken over stays, and goes in the first round afterwards', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { folder, database } = makeFolders(t);
    const { taker, update, taken } = startTaker(t, folder, database);
    writeSegment(folder, SEGMENT, [spoolEntry({ id: 'dlv_a' })]);
    update.isOpen = true;
    taker.recover();
    taker.recover();
    assert.deepEqual([taken, listSegments(folder)], [['dlv_a'], [SEGMENT]]);
    update.isOpen = false;
    taker.wake();
    t.mock.timers.tick(100);
    assert.deepEqual([taken, listSegments(folder)], [['dlv_a'], []]);
  });

  test('a damaged one stays too, and the next process still sets it aside', (t) => {
    const { folder, database } = makeFolders(t);
    const [first, second, third] = ['dlv_a', 'dlv_b', 'dlv_c'].map((id) =>
      encodeSpoolEntry(spoolEntry({ id })),
    ) as [Buffer, Buffer, Buffer];
    second[30] = (second[30] ?? 0) ^ 4;
    writeFileSync(join(folder, SEGMENT), Buffer.concat([first, second, third]));
    const during = startTaker(t, folder, database);
    during.update.isOpen = true;
    during.taker.recover();
    assert.deepEqual([during.taken, listSegments(folder)], [['dlv_a', 'dlv_c'], [SEGMENT]]);
    during.close();
    const after = startTaker(t, folder, database);
    after.taker.recover();
    assert.ok(existsSync(join(folder, `${SEGMENT}.damaged`)));
    assert.deepEqual([after.taken, after.lines.length], [[], 1]);
  });

  test('an older database that is put back takes everything over again, once', async (t) => {
    const { folder, database } = makeFolders(t);
    const before = startTaker(t, folder, database);
    const entry = (unit: string) => spoolEntry({ id: `dlv_${unit}`, unit });
    writeSegment(folder, SEGMENT, [entry('a'), entry('b')]);
    before.update.isOpen = true;
    before.taker.recover();
    before.close();

    // What is accepted now the backup does not know: one more in a segment that it knows, and a new one.
    const backup = join(folder, 'backup.db');
    const made = await backUpDatabase(database, backup);
    assert.ok(made.ok);
    appendFileSync(join(folder, SEGMENT), encodeSpoolEntry(entry('c')));
    writeSegment(folder, deadSegmentName(2), [entry('d')]);
    const trial = startTaker(t, folder, database);
    trial.update.isOpen = true;
    trial.taker.recover();
    assert.deepEqual(trial.taken, ['dlv_c', 'dlv_d']);
    trial.close();

    const restored = startTaker(t, folder, backup);
    restored.update.isOpen = true;
    restored.taker.recover();
    restored.taker.recover();
    assert.deepEqual(restored.taken, ['dlv_c', 'dlv_d']);
    restored.update.isOpen = false;
    restored.taker.recover();
    assert.deepEqual(taskUnits(restored.store).sort(), ['a', 'b', 'c', 'd']);
    assert.deepEqual(listSegments(folder), []);
    restored.taker.recover();
    assert.equal(restored.taken.length, 2);
  });
});

describe('what another process still writes', () => {
  test('is looked at again and again although it tells nobody, until it is gone', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const child = spawn('sleep', ['60']);
    t.after(() => child.kill());
    await once(child, 'spawn');
    const { folder, database } = makeFolders(t);
    const { taker, taken } = startTaker(t, folder, database);
    const name = segmentName(child.pid ?? 0);
    writeSegment(folder, name, [spoolEntry({ id: 'dlv_a' })]);
    taker.recover();
    appendFileSync(join(folder, name), encodeSpoolEntry(spoolEntry({ id: 'dlv_b' })));
    assert.deepEqual(taken, ['dlv_a']);
    t.mock.timers.tick(1_000);
    assert.deepEqual(taken, ['dlv_a', 'dlv_b']);
    child.kill();
    await once(child, 'exit');
    t.mock.timers.tick(1_000);
    assert.deepEqual(listSegments(folder), []);
    t.mock.timers.tick(10_000);
    assert.deepEqual(taken, ['dlv_a', 'dlv_b']);
  });

  test('holds up nothing of our own', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { folder, database } = makeFolders(t);
    const { taker, taken } = startTaker(t, folder, database);
    writeSegment(folder, segmentName(process.ppid, 1), []);
    taker.recover();
    writeSegment(folder, segmentName(process.pid, 2), [spoolEntry({ id: 'dlv_a' })]);
    taker.wake();
    t.mock.timers.tick(100);
    assert.deepEqual(taken, ['dlv_a']);
  });

  test('is not looked at any more after the close', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { folder, database } = makeFolders(t);
    const { taker, taken } = startTaker(t, folder, database);
    const name = segmentName(process.ppid);
    writeSegment(folder, name, []);
    taker.recover();
    taker.close();
    appendFileSync(join(folder, name), encodeSpoolEntry(spoolEntry({ id: 'dlv_a' })));
    t.mock.timers.tick(10_000);
    assert.deepEqual(taken, []);
    assert.deepEqual(
      readdirSync(folder).filter((entry) => entry.includes('damaged')),
      [],
    );
    assert.ok(readFileSync(join(folder, name)).length > 0);
  });
});
