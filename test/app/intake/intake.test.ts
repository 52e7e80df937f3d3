import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { listSegments } from '../../../app/intake/segments.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { openTestIntake } from '../../helpers/intake.ts';
import { deadSegmentName, spoolEntry, writeSegment } from '../../helpers/spool.ts';

const OK = { ok: true, value: undefined };
const IGNORED = { verdict: 'ignored', reason: 'untagged-child' } as const;

function entriesOf(count: number, from = 0) {
  return Array.from({ length: count }, (_, index) => spoolEntry({ id: `dlv_${from + index}` }));
}

function idsOf(count: number) {
  return Array.from({ length: count }, (_, index) => `dlv_${index}`);
}

/** A trigger that lets the database refuse the deliveries with this id, as a fault of its own would. */
function refuse(id: string): string {
  return `CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN NEW.id = '${id}'
    BEGIN SELECT RAISE(ABORT, 'refused on purpose'); END`;
}

describe('accepting', () => {
  test('makes a delivery durable, takes it over soon after, and says that there is a task', {
    timeout: 60_000,
  }, async (t) => {
    const { intake, folder, nextReport, storedIds, store } = openTestIntake(t);
    const reported = nextReport();
    assert.deepEqual(await intake.accept(spoolEntry()), OK);
    assert.equal(listSegments(folder).length, 1);
    await reported;
    assert.deepEqual(storedIds(), ['dlv_1']);
    assert.equal(store.tasks.list({ limit: 9 }).length, 1);
    await intake.close();
  });

  test('a burst becomes one transaction and one task', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, reports, storedIds } = openTestIntake(t);
    await Promise.all(entriesOf(200).map((entry) => intake.accept(entry)));
    assert.deepEqual(storedIds(), []);
    t.mock.timers.tick(100);
    assert.deepEqual(storedIds(), idsOf(200));
    assert.equal(reports(), 1);
    await intake.close();
  });

  test('says how many wait for the database, and since when', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake } = openTestIntake(t);
    assert.deepEqual(intake.waiting(), { count: 0, oldestAt: null });
    for (const receivedAt of [2_000, 3_000]) {
      await intake.accept(spoolEntry({ id: `dlv_${receivedAt}`, receivedAt }));
    }
    await intake.accept(spoolEntry({ id: 'dlv_none', receivedAt: 1_000, verdict: IGNORED }));
    assert.deepEqual(intake.waiting(), { count: 2, oldestAt: 2_000 });
    t.mock.timers.tick(100);
    assert.deepEqual(intake.waiting(), { count: 0, oldestAt: null });
    await intake.close();
  });

  test('what makes no task is taken over without a report', async (t) => {
    const { intake, reports, storedIds } = openTestIntake(t);
    await intake.accept(spoolEntry({ verdict: IGNORED }));
    await intake.close();
    assert.deepEqual(storedIds(), ['dlv_1']);
    assert.equal(reports(), 0);
  });

  test('a spool that cannot be written refuses, and the delivery counts as unheard', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, folder, storedIds } = openTestIntake(t);
    rmSync(folder, { recursive: true });
    const outcome = await intake.accept(spoolEntry());
    assert.ok(!outcome.ok);
    assert.equal(outcome.failure.code, 'SPOOL_UNAVAILABLE');
    assert.equal(
      intake.findDuplicate({ source: 'github' }, 'guid of dlv_1', 'web.service'),
      undefined,
    );
    assert.deepEqual(storedIds(), []);
  });

  test('more than the memory may hold is read from the spool again', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, reports, storedIds } = openTestIntake(t);
    await Promise.all(entriesOf(5_001).map((entry) => intake.accept(entry)));
    await intake.accept(spoolEntry({ id: 'dlv_5001' }));
    t.mock.timers.tick(100);
    assert.deepEqual(storedIds(), idsOf(5_002));
    assert.equal(reports(), 1);
    await intake.close();
  });

  test('segments that are done with are deleted, the current one is not', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, folder, storedIds } = openTestIntake(t);
    writeSegment(folder, deadSegmentName(1), [spoolEntry({ id: 'dlv_0' })]);
    await intake.accept(spoolEntry({ id: 'dlv_1' }));
    void intake.recover();
    assert.deepEqual(storedIds(), ['dlv_0', 'dlv_1']);
    const [current, ...others] = listSegments(folder);
    assert.deepEqual(others, []);
    await intake.accept(spoolEntry({ id: 'dlv_2' }));
    assert.deepEqual(listSegments(folder), [current]);
    await intake.close();
    assert.deepEqual(listSegments(folder), []);
    assert.deepEqual(storedIds(), idsOf(3));
  });
});

describe('finding a duplicate', () => {
  test('works from the moment on in which a delivery arrives, and after it was taken over', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, storedIds } = openTestIntake(t);
    const find = () => intake.findDuplicate({ source: 'github' }, 'guid of dlv_1', 'web.service');
    assert.equal(find(), undefined);
    const accepting = intake.accept(spoolEntry());
    assert.equal(find(), 'dlv_1');
    await accepting;
    assert.equal(find(), 'dlv_1');
    t.mock.timers.tick(100);
    assert.deepEqual(storedIds(), ['dlv_1']);
    assert.equal(find(), 'dlv_1');
    await intake.close();
  });

  test('does not find what led to nothing', async (t) => {
    const { intake } = openTestIntake(t);
    await intake.accept(spoolEntry({ verdict: IGNORED }));
    assert.equal(
      intake.findDuplicate({ source: 'github' }, 'guid of dlv_1', 'web.service'),
      undefined,
    );
    await intake.close();
    assert.equal(
      intake.findDuplicate({ source: 'github' }, 'guid of dlv_1', 'web.service'),
      undefined,
    );
  });

  test('does not find what has failed, so that a redelivery tries again', async (t) => {
    const { intake, store } = openTestIntake(t);
    await intake.accept(spoolEntry());
    await intake.close();
    const [task] = store.tasks.list({ limit: 1 });
    store.tasks.finish(attemptOf(store.tasks, task?.id ?? ''), {
      status: 'failed',
      summary: 'x',
      at: 1,
    });
    assert.equal(
      intake.findDuplicate({ source: 'github' }, 'guid of dlv_1', 'web.service'),
      undefined,
    );
  });

  test('finds nothing without the database, for a repetition is harmless and a loss is not', (t) => {
    const { intake, store } = openTestIntake(t);
    store.close();
    assert.equal(
      intake.findDuplicate({ source: 'github' }, 'guid of dlv_1', 'web.service'),
      undefined,
    );
  });
});

describe('a database that fails', () => {
  test('for a while delays deliveries, and neither refuses nor loses nor repeats one', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, lines, reports, sql, storedIds } = openTestIntake(t);
    sql('ALTER TABLE deliveries RENAME TO hidden');
    assert.deepEqual(await intake.accept(spoolEntry({ id: 'dlv_0' })), OK);
    t.mock.timers.tick(100);
    assert.match(lines.at(-1)?.msg ?? '', /taking deliveries over into the database failed/);
    assert.deepEqual(await intake.accept(spoolEntry({ id: 'dlv_1' })), OK);
    t.mock.timers.tick(2_000);
    assert.equal(lines.length, 2, 'it was tried again');
    assert.deepEqual(await intake.accept(spoolEntry({ id: 'dlv_2' })), OK);
    sql('ALTER TABLE hidden RENAME TO deliveries');
    assert.equal(reports(), 0);
    t.mock.timers.tick(2_000);
    assert.deepEqual(storedIds(), idsOf(3));
    assert.equal(reports(), 1);
    await intake.close();
    assert.deepEqual(storedIds(), idsOf(3));
  });

  test('because another process holds its lock beyond the limit is tried again', {
    timeout: 60_000,
  }, async (t) => {
    const { intake, lines, nextReport, sql, storedIds } = openTestIntake(t);
    sql('BEGIN IMMEDIATE');
    const reported = nextReport();
    await intake.accept(spoolEntry());
    // The limit of the database passes while nothing else can happen in this thread.
    await new Promise<void>((logged) => {
      const look = () => (lines.length > 0 ? logged() : setImmediate(look));
      look();
    });
    assert.match(JSON.stringify(lines[0]), /SQLITE_BUSY/);
    sql('ROLLBACK');
    await reported;
    assert.deepEqual(storedIds(), ['dlv_1']);
    await intake.close();
  });

  test('between two segments still reports the tasks of the first', (t) => {
    const { intake, folder, reports, sql, storedIds } = openTestIntake(t);
    writeSegment(folder, deadSegmentName(1), [spoolEntry({ id: 'dlv_0' })]);
    writeSegment(folder, deadSegmentName(2), [spoolEntry({ id: 'dlv_1' })]);
    sql(refuse('dlv_1'));
    assert.throws(() => intake.recover(), /refused on purpose/);
    assert.deepEqual(storedIds(), ['dlv_0']);
    assert.equal(reports(), 1);
  });

  test('between two segments of the memory still reports the tasks of the first', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, folder, reports, sql, storedIds } = openTestIntake(t);
    await intake.accept(spoolEntry({ id: 'dlv_0' }));
    const [first = ''] = listSegments(folder);
    const { default: fsPromises } = await import('node:fs/promises');
    const file = await fsPromises.open(join(folder, 'probe'), 'w');
    await file.close();
    const acts = Object.getPrototypeOf(file) as typeof file;
    t.mock.method(acts, 'datasync', () => Promise.reject(new Error('no')), { times: 1 });
    assert.ok(!(await intake.accept(spoolEntry({ id: 'dlv_refused' }))).ok);
    await intake.accept(spoolEntry({ id: 'dlv_1' }));
    sql(refuse('dlv_1'));
    t.mock.timers.tick(100);
    assert.deepEqual(storedIds(), ['dlv_0']);
    assert.equal(reports(), 1);
    assert.ok(!existsSync(join(folder, first)), 'the first segment is done with');
    sql('DROP TRIGGER refuse');
    t.mock.timers.tick(2_000);
    assert.deepEqual(storedIds(), ['dlv_0', 'dlv_1']);
    await intake.close();
  });

  test('at the last moment leaves in the spool what the next process takes over', async (t) => {
    const { intake, folder, sql, storedIds } = openTestIntake(t);
    sql(refuse('dlv_1'));
    await intake.accept(spoolEntry());
    await intake.close();
    assert.equal(listSegments(folder).length, 1);
    sql('DROP TRIGGER refuse');
    void intake.recover();
    assert.deepEqual(storedIds(), ['dlv_1']);
  });

  test('for good lets a stop go on, and the spool keeps everything', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { intake, folder, lines, store } = openTestIntake(t);
    await intake.accept(spoolEntry());
    store.close();
    await intake.close();
    assert.equal(listSegments(folder).length, 1);
    assert.deepEqual(
      lines.map(({ level }) => level),
      [50],
    );
  });
});
