import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MIGRATIONS } from '../../../app/db/generated-migrations.ts';
import { openStore } from '../../../app/db/store.ts';
import { startRecorder } from '../../../app/recorder/start-recorder.ts';
import { keepLog } from '../../helpers/log-lines.ts';
import { deadSegmentName, spoolEntry, writeSegment } from '../../helpers/spool.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** The thread on a folder that is there or not. */
function start(
  context: TestContext,
  prepare: (paths: { intake: string; database: string }) => void,
) {
  const folder = makeTempFolder(context);
  const paths = { intake: join(folder, 'intake'), database: join(folder, 'data/x.db') };
  prepare(paths);
  const death = Promise.withResolvers<Error>();
  const recorder = startRecorder(
    {
      databasePath: paths.database,
      intakeDir: paths.intake,
      updateRecord: join(folder, 'data/UPDATE_LOCK.json'),
      version: '0',
      takeOver: { windowMs: 0 },
    },
    keepLog().log,
    death.resolve,
  );
  return { ...paths, recorder, death: death.promise };
}

test('the thread migrates, says so, takes over, and ends when it is closed', async (t) => {
  const { recorder, database } = start(t, ({ intake }) => {
    mkdirSync(intake);
    writeSegment(intake, deadSegmentName(), [spoolEntry({ id: 'dlv_a' })]);
  });
  const schema = MIGRATIONS.at(-1)?.version;
  assert.deepEqual(await recorder.opened, { ok: true, value: schema });
  const taken: string[] = [];
  const taker = recorder.startTaker((deliveries) => taken.push(...deliveries.map(({ id }) => id)));
  await taker.recover();
  assert.deepEqual(taken, ['dlv_a']);
  await taker.close();
  // The first one may still be under way when the thread ends, the second one is not.
  for (let asked = 0; asked < 2; asked++) await assert.rejects(recorder.close(), /has ended/);
  const opened = openStore(database, { version: '0', nowMs: 1 });
  assert.ok(opened.ok);
  assert.equal(opened.value.tasks.list({ limit: 9 }).length, 1);
  opened.value.close();
});

test('a database that cannot be used is the first thing that it says', async (t) => {
  const { recorder } = start(t, ({ database }) => {
    mkdirSync(join(database, '..'));
    writeFileSync(database, 'no database '.repeat(1_000));
  });
  const opened = await recorder.opened;
  assert.ok(!opened.ok);
  assert.equal(opened.failure.code, 'DATABASE_DAMAGED');
});

test('a thread that dies is told, and whoever waits for it or asks it later hears of it', async (t) => {
  const { recorder, death } = start(t, () => undefined);
  // That it has died may be heard before that it has opened the database.
  await Promise.allSettled([recorder.opened]);
  const waiting = recorder.startTaker(() => undefined).recover();
  await assert.rejects(Promise.resolve(waiting), /ENOENT/);
  assert.match((await death).message, /ENOENT/);
  await assert.rejects(recorder.close(), /ENOENT/);
});
