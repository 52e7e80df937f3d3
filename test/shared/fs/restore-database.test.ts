import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { DatabaseBackup } from '../../../shared/contract/update-record.ts';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { type Files, realFiles } from '../../../shared/fs/files.ts';
import { backUpRaw, restoreDatabase } from '../../../shared/fs/restore-database.ts';
import {
  copyBackup,
  crashAt,
  lookAt,
  makePlace,
  type Place,
  readRows,
  writeClosed,
  writeHot,
} from '../../supervisor/database/database-fixture.ts';

const REAL = { files: realFiles, bulk: realBulkFiles };
const NONE: DatabaseBackup = { kind: 'none', file: null, sha256: null, bytes: 0, schema: null };
const DONE = { ok: true, value: undefined };

/** What was there before the update. */
const OLD = ['old'];
/** What the new version has made of it. */
const FAILED = ['old', 'new'];

/** Backups of each kind, made of the database as it was. */
const KINDS: Readonly<Record<string, (place: Place) => Promise<DatabaseBackup>>> = {
  copy: ({ file }) => Promise.resolve(copyBackup(file, ...OLD)),
  'raw, with a log': async ({ database, file }) => {
    writeHot(database, ...OLD);
    const backup = await backUpRaw({ database, to: file, ...REAL });
    assert.ok(backup.ok, JSON.stringify(backup));
    return backup.value;
  },
  'raw, without a log': async ({ database, file }) => {
    writeClosed(database, ...OLD);
    const backup = await backUpRaw({ database, to: file, ...REAL });
    assert.ok(backup.ok, JSON.stringify(backup));
    return backup.value;
  },
  none: () => Promise.resolve(NONE),
};

/** How the new version may leave the database. */
const FAILURES: Readonly<Record<string, (database: string) => void>> = {
  'with a log': (database) => writeHot(database, ...FAILED),
  'without a log': (database) => writeClosed(database, ...FAILED),
  'with a log and a journal': (database) => {
    writeHot(database, ...FAILED);
    writeFileSync(`${database}-journal`, 'of another time');
  },
};

function clear({ database }: Place): void {
  for (const side of ['', '-wal', '-shm', '-journal']) realFiles.unlink(`${database}${side}`);
}

/** Everything is as it was before the update, nothing of the new version is beside it, and that is kept. */
function assertRestored(t: TestContext, place: Place, backup: DatabaseBackup): void {
  const { database, keepIn } = place;
  const beside = readdirSync(dirname(database)).filter((name) => name !== 'backups');
  if (backup.kind === 'none') assert.deepEqual(beside, []);
  else {
    assert.deepEqual(readRows(t, database), OLD);
    const log = backup.kind === 'raw' && existsSync(`${backup.file}-wal`) ? ['x.db-wal'] : [];
    assert.deepEqual(beside.sort(), ['x.db', ...log]);
    assert.equal(statSync(database).nlink, 1, 'the backup is not what is written to from now on');
  }
  assert.deepEqual(readRows(t, join(keepIn, 'x.db')), FAILED);
}

describe('a restored database', () => {
  for (const [kind, makeBackup] of Object.entries(KINDS))
    for (const [how, makeFailed] of Object.entries(FAILURES))
      test(`is that of the backup (${kind}), and what failed ${how} is kept`, async (t) => {
        const place = makePlace(t);
        const backup = await makeBackup(place);
        clear(place);
        makeFailed(place.database);
        assert.deepEqual(await restoreDatabase({ ...place, backup, ...REAL }), DONE);
        assertRestored(t, place, backup);
        assert.deepEqual(await restoreDatabase({ ...place, backup, ...REAL }), DONE, 'again');
        assertRestored(t, place, backup);
      });

  test('is there although there was none any more', async (t) => {
    const place = makePlace(t);
    const backup = copyBackup(place.file, ...OLD);
    writeFileSync(`${place.database}-wal`, 'of a database that is gone');
    assert.deepEqual(await restoreDatabase({ ...place, backup, ...REAL }), DONE);
    assert.deepEqual(readRows(t, place.database), OLD);
    assert.deepEqual(readdirSync(place.keepIn), ['x.db-wal']);
  });

  for (const kind of ['copy', 'none'])
    test(`(${kind}) takes nothing over from a raw one that was cut off long ago`, async (t) => {
      const place = makePlace(t);
      const backup = (await KINDS[kind]?.(place)) ?? NONE;
      writeHot(place.database, ...FAILED);
      for (const side of ['', '-wal']) {
        writeFileSync(`${place.database}.restore.tmp${side}`, 'of another time');
      }
      assert.deepEqual(await restoreDatabase({ ...place, backup, ...REAL }), DONE);
      assertRestored(t, place, backup);
    });

  test('is readable by its user only, as the backup is', async (t) => {
    const place = makePlace(t);
    writeClosed(place.database, ...OLD);
    const copied = copyBackup(place.file, ...OLD);
    chmodSync(place.file, 0o600);
    assert.deepEqual(await restoreDatabase({ ...place, backup: copied, ...REAL }), DONE);
    assert.equal(statSync(place.database).mode & 0o777, 0o600);
  });
});

describe('a restoration that is cut off at any step and repeated', () => {
  for (const [kind, makeBackup] of Object.entries(KINDS))
    for (const [how, makeFailed] of Object.entries(FAILURES))
      test(`comes to the same end: ${kind}, failed ${how}`, async (t) => {
        let steps = 0;
        for (let isOver = false; !isOver; steps++) {
          const place = makePlace(t);
          const backup = await makeBackup(place);
          clear(place);
          makeFailed(place.database);
          const { files, bulk, hasCrashed } = crashAt(steps + 1);
          const outcome = await restoreDatabase({ ...place, backup, files, bulk });
          isOver = !hasCrashed();
          assert.equal(outcome.ok, isOver);
          if (!outcome.ok) assert.equal(outcome.failure.code, 'UPDATE_RESTORE_FAILED');
          // A look at it in between leaves files of its own beside it.
          if (steps % 2 === 1) lookAt(place.database);
          assert.deepEqual(await restoreDatabase({ ...place, backup, ...REAL }), DONE);
          assertRestored(t, place, backup);
        }
        assert.ok(steps > 15, `${steps} steps`);
      });

  test('twice at any two steps comes to the same end', async (t) => {
    for (let first = 1; first <= 40; first += 5) {
      for (let second = 1; second <= 40; second += 7) {
        const place = makePlace(t);
        const backup = copyBackup(place.file, ...OLD);
        writeHot(place.database, ...FAILED);
        await restoreDatabase({ ...place, backup, ...crashAt(first) });
        await restoreDatabase({ ...place, backup, ...crashAt(second) });
        assert.deepEqual(await restoreDatabase({ ...place, backup, ...REAL }), DONE);
        assertRestored(t, place, backup);
      }
    }
  });
});

describe('a backup that is not what was recorded', () => {
  async function refuse(t: TestContext, spoil: (place: Place) => void, kind = 'copy') {
    const place = makePlace(t);
    const backup = (await KINDS[kind]?.(place)) ?? NONE;
    clear(place);
    writeHot(place.database, ...FAILED);
    spoil(place);
    const outcome = await restoreDatabase({ ...place, backup, ...REAL });
    assert.ok(!outcome.ok);
    assert.equal(outcome.failure.code, 'UPDATE_RESTORE_FAILED');
    assert.deepEqual(readRows(t, place.database), FAILED, 'nothing was touched');
    assert.deepEqual(readdirSync(dirname(place.database)).sort(), [
      'backups',
      'x.db',
      'x.db-shm',
      'x.db-wal',
    ]);
    assert.deepEqual(readdirSync(place.keepIn), []);
    return outcome.failure.detail;
  }

  test('because it was cut off is refused before anything is touched', async (t) => {
    assert.match(await refuse(t, ({ file }) => truncateSync(file, 4096)), /it was changed/);
  });

  test('because one bit is another is refused', async (t) => {
    await refuse(t, ({ file }) => {
      const content = readFileSync(file);
      content[5000] = (content[5000] ?? 0) ^ 1;
      writeFileSync(file, content);
    });
  });

  for (const [what, spoil] of [
    ['was cut off', (log: string) => truncateSync(log, 100)],
    ['is gone', (log: string) => realFiles.unlink(log)],
  ] as const)
    test(`because its log ${what} is refused`, async (t) => {
      await refuse(t, ({ file }) => spoil(`${file}-wal`), 'raw, with a log');
    });

  test('because it is gone is refused', async (t) => {
    assert.match(await refuse(t, ({ file }) => realFiles.unlink(file)), /is not there/);
  });

  test('because nobody recorded what it is, is refused', async (t) => {
    const place = makePlace(t);
    writeHot(place.database, ...FAILED);
    const backup = { ...copyBackup(place.file, ...OLD), sha256: null };
    assert.ok(!(await restoreDatabase({ ...place, backup, ...REAL })).ok);
    assert.deepEqual(readRows(t, place.database), FAILED);
  });
});

/** Files that say what is done to them. */
function trace(over: Partial<Files> = {}): { files: Files; acts: string[] } {
  const acts: string[] = [];
  const told = (path: string) =>
    path.includes('/backups/') ? `kept/${basename(path)}` : basename(path);
  const files: Files = {
    ...realFiles,
    ...over,
    rename: (from, to) => {
      realFiles.rename(from, to);
      acts.push(`${told(from)} -> ${told(to)}`);
    },
    unlink: (path) => {
      if (realFiles.facts(path)) acts.push(`without ${told(path)}`);
      realFiles.unlink(path);
    },
    syncDirectory: (path) => {
      realFiles.syncDirectory(path);
      acts.push(`sync ${told(path)}`);
    },
  };
  return { files, acts };
}

test('what lies beside the failed database is gone for good before the backup takes its place', async (t) => {
  const place = makePlace(t);
  const backup = copyBackup(place.file, ...OLD);
  writeHot(place.database, ...FAILED);
  const { files, acts } = trace();
  await restoreDatabase({ ...place, backup, files, bulk: realBulkFiles });
  assert.deepEqual(acts, [
    'kept/x.db.tmp -> kept/x.db',
    'sync kept/failed',
    'x.db-wal -> kept/x.db-wal',
    'sync kept/failed',
    'x.db-shm -> kept/x.db-shm',
    'sync kept/failed',
    'sync data',
    'x.db.restore.tmp -> x.db',
    'sync data',
  ]);
});

test('a failed database whose name could not be synced is kept durably before another attempt goes on', async (t) => {
  const place = makePlace(t);
  const backup = copyBackup(place.file, ...OLD);
  writeHot(place.database, ...FAILED);
  const sick: Files = {
    ...realFiles,
    syncDirectory: () => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    },
  };
  const first = await restoreDatabase({ ...place, backup, files: sick, bulk: realBulkFiles });
  assert.equal(first.ok, false);
  const { files, acts } = trace();
  assert.deepEqual(await restoreDatabase({ ...place, backup, files, bulk: realBulkFiles }), DONE);
  assert.deepEqual(acts.slice(0, 3), [
    'without x.db.restore.tmp',
    'sync kept/failed',
    'x.db-wal -> kept/x.db-wal',
  ]);
  assert.deepEqual(readRows(t, place.database), OLD);
});

test('a database on another file system than the state is kept beside itself, for each update by itself', async (t) => {
  const place = makePlace(t);
  const other = join(dirname(place.database), 'backups/auto_update/upd_0/failed');
  mkdirSync(other, { recursive: true });
  const backup = copyBackup(place.file, ...OLD);
  const files: Files = {
    ...realFiles,
    link: (from, to) => {
      if (to.includes('/backups/')) throw Object.assign(new Error('EXDEV'), { code: 'EXDEV' });
      realFiles.link(from, to);
    },
  };
  for (const keepIn of [other, place.keepIn, place.keepIn]) {
    if (!existsSync(`${place.database}.failed.upd_1`)) {
      clear(place);
      writeHot(place.database, ...FAILED);
    }
    const { database } = place;
    const outcome = await restoreDatabase({ database, keepIn, backup, files, bulk: realBulkFiles });
    assert.deepEqual(outcome, DONE);
    assert.deepEqual(readRows(t, place.database), OLD);
  }
  for (const txn of ['upd_0', 'upd_1']) {
    assert.deepEqual(readRows(t, `${place.database}.failed.${txn}`), FAILED);
  }
});

describe('a raw backup', () => {
  test('of nothing is none', async (t) => {
    const { database, file } = makePlace(t);
    const backup = await backUpRaw({ database, to: file, ...REAL });
    assert.deepEqual(backup, { ok: true, value: NONE });
  });

  test('holds what only stands in the log, and replaces what an earlier attempt left', async (t) => {
    const { database, file } = makePlace(t);
    for (const left of [file, `${file}-wal`, `${file}.partial`, `${file}.partial-wal`]) {
      writeFileSync(left, 'left over');
    }
    writeHot(database, ...OLD);
    const backup = await backUpRaw({ database, to: file, ...REAL });
    assert.ok(backup.ok);
    const { kind, bytes, sha256, schema } = backup.value;
    assert.deepEqual([kind, schema, sha256?.length], ['raw', null, 64]);
    assert.equal(bytes, statSync(database).size + statSync(`${database}-wal`).size);
    assert.deepEqual(readRows(t, file), OLD);
    assert.deepEqual(readdirSync(dirname(file)).sort(), [
      'database.db',
      'database.db-wal',
      'failed',
    ]);
  });

  test('of a database without a log has none, whatever an earlier attempt left', async (t) => {
    const { database, file } = makePlace(t);
    writeFileSync(`${file}-wal`, 'left over');
    writeClosed(database, ...OLD);
    assert.ok((await backUpRaw({ database, to: file, ...REAL })).ok);
    assert.deepEqual(readRows(t, file), OLD);
    assert.ok(!existsSync(`${file}-wal`));
  });

  test('of a database that is changed meanwhile is refused', async (t) => {
    const { database, file } = makePlace(t);
    writeClosed(database, ...OLD);
    const bulk = {
      ...realBulkFiles,
      async copy(from: string, to: string) {
        await realBulkFiles.copy(from, to);
        writeClosed(`${database}.other`);
        realFiles.rename(`${database}.other`, database);
      },
    };
    const backup = await backUpRaw({ database, to: file, files: realFiles, bulk });
    assert.ok(!backup.ok);
    assert.equal(backup.failure.code, 'UPDATE_BACKUP_FAILED');
    assert.ok(!existsSync(file));
  });

  test('that is cut off at any step and repeated is whole; it has its name only when it is', async (t) => {
    let steps = 0;
    for (let isOver = false; !isOver; steps++) {
      const { database, file } = makePlace(t);
      writeHot(database, ...OLD);
      const { files, bulk, hasCrashed } = crashAt(steps + 1);
      const outcome = await backUpRaw({ database, to: file, files, bulk });
      isOver = !hasCrashed();
      assert.equal(outcome.ok, isOver);
      if (existsSync(file)) assert.deepEqual(readRows(t, file), OLD);
      assert.ok((await backUpRaw({ database, to: file, ...REAL })).ok);
      assert.deepEqual(readRows(t, file), OLD);
    }
    assert.ok(steps > 15, `${steps} steps`);
  });
});
