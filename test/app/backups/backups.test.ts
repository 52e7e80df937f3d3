import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import {
  type Backup,
  listBackups,
  readBackup,
  tidyBackups,
} from '../../../app/backups/backup-folder.ts';
import { createBackup } from '../../../app/backups/create-backup.ts';
import { restoreBackup } from '../../../app/backups/restore-backup.ts';
import { verifyBackup } from '../../../app/backups/verify-backup.ts';
import { openStore, type Store } from '../../../app/db/store.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { lockFile } from '../../../shared/fs/lock-file.ts';
import { newTask } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** A state directory with a database that is not in use; `use` opens it, as the service would. */
function makeState(context: TestContext) {
  const paths = statePaths(join(makeTempFolder(context), 'état 1'));
  const use = <T>(act: (store: Store) => T): T => {
    const opened = openStore(paths.database, { version: '1.0.0', nowMs: 1 });
    assert.ok(opened.ok, JSON.stringify(opened));
    try {
      return act(opened.value);
    } finally {
      opened.value.close();
    }
  };
  const folder = paths.databaseBackupsDir;
  const back = async (nowMs = NOW, keep = 7): Promise<Backup> => {
    const made = await createBackup({
      ...{ database: paths.database, folder, keep, version: '1.0.0', nowMs },
    });
    assert.ok(made.ok, JSON.stringify(made));
    return made.value;
  };
  const restore = (backup: Backup) => restoreBackup({ backup, paths, version: '1.0.0', nowMs: 9 });
  use((store) => store.tasks.insert(newTask({ id: 'tsk_1' })));
  return { paths, folder, use, back, restore };
}

const taskIds = (store: Store) => store.tasks.list({ limit: 10 }).map(({ id }) => id);

function addBad(store: Store, digest: string): void {
  store.quarantine.add({
    ...{ unit: 'web.service', digest, image: 'i', image_id: null, at: 5, expires_at: null },
    ...{ code: 'GATE_PROBE_FAILED', detail: 'no' },
  });
}

describe('backup create', () => {
  test('copies the database while it is used, and says what of', async (t) => {
    const { paths, folder, back } = makeState(t);
    const opened = openStore(paths.database, { version: '1.0.0', nowMs: 1 });
    assert.ok(opened.ok);
    t.after(() => opened.value.close());
    opened.value.tasks.insert(newTask({ id: 'tsk_2' }));
    const backup = await back();
    assert.equal(backup.name, 'podup-20260102T030405678Z.db');
    assert.deepEqual(
      [backup.created_at, backup.version, backup.schema, backup.bytes],
      ['2026-01-02T03:04:05.678Z', '1.0.0', opened.value.schema, statSync(backup.file).size],
    );
    const copy = new SqliteDatabase(backup.file, { readonly: true });
    t.after(() => copy.close());
    assert.equal(copy.prepare('SELECT count(*) FROM tasks').pluck().get(), 2);
    assert.deepEqual(readdirSync(folder).sort(), [
      'podup-20260102T030405678Z.db',
      'podup-20260102T030405678Z.db.json',
    ]);
    for (const name of readdirSync(folder)) {
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    }
    assert.ok(existsSync(paths.database));
  });

  test('keeps so many, the newest', async (t) => {
    const { folder, back } = makeState(t);
    for (let at = 0; at < 4; at++) await back(NOW + at, 2);
    assert.deepEqual(
      listBackups(folder).map(({ created_at }) => created_at.slice(-5)),
      ['.681Z', '.680Z'],
    );
    assert.equal(readdirSync(folder).length, 4);
  });

  test('two at once do not take the half of each other for what a crash has left', async (t) => {
    const { folder, use, back } = makeState(t);
    use((store) =>
      store.transact(() => {
        for (let at = 0; at < 3_000; at++) {
          store.tasks.insert(newTask({ id: `tsk_x${at}`, summary: 'x'.repeat(1_000) }));
        }
      }),
    );
    const made = await Promise.all([0, 1, 2].map((at) => back(NOW + at)));
    assert.equal(listBackups(folder).length, 3);
    for (const backup of made) assert.ok((await verifyBackup(backup)).ok);
  });

  test('made by a clock that was set back is not the one that is removed', async (t) => {
    const { folder, back } = makeState(t);
    for (let at = 0; at < 3; at++) await back(NOW + at, 2);
    const { name } = await back(NOW - 1_000_000, 2);
    assert.deepEqual(
      listBackups(folder)
        .map((backup) => backup.name)
        .sort(),
      [name, 'podup-20260102T030405680Z.db'],
    );
  });

  test('that fails removes nothing', async (t) => {
    const { paths, folder, back } = makeState(t);
    await back();
    rmSync(paths.database);
    mkdirSync(paths.database);
    const failed = await createBackup({
      ...{ database: paths.database, folder, keep: 1, version: '1.0.0', nowMs: NOW + 1 },
    });
    assert.ok(!failed.ok);
    assert.equal(failed.failure.code, 'BACKUP_FAILED');
    assert.equal(listBackups(folder).length, 1);
  });

  test('without a database is refused', async (t) => {
    const { folder } = makeState(t);
    const failed = await createBackup({
      ...{ database: '/nonexistent/x.db', folder, keep: 1, version: '1.0.0', nowMs: NOW },
    });
    assert.deepEqual([failed.ok, !failed.ok && failed.failure.code], [false, 'BACKUP_FAILED']);
  });

  test('on a full disk says so, and leaves nothing half', async (t) => {
    const { paths, folder, use } = makeState(t);
    use(() => undefined);
    t.mock.method(realFiles, 'write', () => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    });
    const failed = await createBackup({
      ...{ database: paths.database, folder, keep: 1, version: '1.0.0', nowMs: NOW },
    });
    assert.deepEqual([failed.ok, !failed.ok && failed.failure.code], [false, 'BACKUP_DISK_FULL']);
    assert.deepEqual(listBackups(folder), []);
  });

  test('tidies up what was cut off, and nothing that is not ours', async (t) => {
    const { folder, back } = makeState(t);
    await back();
    writeFileSync(join(folder, 'podup-20250102T030405678Z.db.partial'), 'x');
    writeFileSync(join(folder, 'podup-20250102T030405679Z.db'), 'x');
    writeFileSync(join(folder, 'notes.txt'), 'x');
    assert.equal(tidyBackups(folder, 7), 0);
    assert.deepEqual(readdirSync(folder).sort(), [
      'notes.txt',
      'podup-20260102T030405678Z.db',
      'podup-20260102T030405678Z.db.json',
    ]);
  });
});

describe('backup verify', () => {
  test('a backup is good', async (t) => {
    const { back } = makeState(t);
    assert.deepEqual(await verifyBackup(await back()), { ok: true, value: undefined });
  });

  for (const [title, spoil] of [
    ['that has grown', (file: string) => appendFileSync(file, 'x')],
    [
      'with another byte',
      (file: string) => {
        const content = readFileSync(file);
        content[2000] = (content[2000] ?? 0) ^ 1;
        writeFileSync(file, content);
      },
    ],
    ['that has gone', (file: string) => rmSync(file)],
  ] as const) {
    test(`a backup ${title} is damaged`, async (t) => {
      const { back } = makeState(t);
      const backup = await back();
      spoil(backup.file);
      const verified = await verifyBackup(backup);
      assert.deepEqual(
        [verified.ok, !verified.ok && verified.failure.code],
        [false, 'BACKUP_DAMAGED'],
      );
    });
  }

  test('an empty file is none, whatever is written beside it', async (t) => {
    const { back } = makeState(t);
    const { file } = await back();
    writeFileSync(file, '');
    const sha256 = createHash('sha256').update('').digest('hex');
    const description = { ...JSON.parse(readFileSync(`${file}.json`, 'utf8')), bytes: 0, sha256 };
    writeFileSync(`${file}.json`, JSON.stringify(description));
    const backup = readBackup(file);
    assert.ok(backup);
    assert.ok(!(await verifyBackup(backup)).ok);
  });

  test('one of another schema than was written is damaged', async (t) => {
    const { back } = makeState(t);
    const backup = await back();
    const verified = await verifyBackup({ ...backup, schema: backup.schema + 1 });
    assert.deepEqual(
      [verified.ok, !verified.ok && verified.failure.code],
      [false, 'BACKUP_DAMAGED'],
    );
  });

  test('one that only a newer program may use is refused', async (t) => {
    const { paths, use, back } = makeState(t);
    use(() => undefined);
    const database = new SqliteDatabase(paths.database);
    database.exec(
      `INSERT INTO schema_migrations VALUES (9999, 'x', 'y', 'must-not-run', '9.0.0', 1)`,
    );
    database.close();
    const verified = await verifyBackup(await back());
    assert.deepEqual(
      [verified.ok, !verified.ok && verified.failure.code],
      [false, 'DATABASE_SCHEMA_NEWER'],
    );
  });

  test('what describes a backup must be whole', async (t) => {
    const { back } = makeState(t);
    const { file } = await back();
    writeFileSync(`${file}.json`, '{"created_at":');
    assert.equal(readBackup(file), undefined);
  });
});

describe('backup restore', () => {
  test('puts it in the place of the database, which is kept', async (t) => {
    const { paths, use, back, restore } = makeState(t);
    const backup = await back();
    use((store) => store.tasks.insert(newTask({ id: 'tsk_2' })));
    const restored = await restore(backup);
    assert.ok(restored.ok, JSON.stringify(restored));
    assert.deepEqual(use(taskIds), ['tsk_1']);
    const { kept, quarantined, unread } = restored.value;
    assert.deepEqual([quarantined, unread], [0, undefined]);
    assert.ok(kept?.startsWith(`${paths.dataDir}/backups/replaced/`));
    const database = new SqliteDatabase(kept, { readonly: true });
    t.after(() => database.close());
    assert.equal(database.prepare('SELECT count(*) FROM tasks').pluck().get(), 2);
    assert.ok(existsSync(backup.file), 'the backup stays');
  });

  test('what failed since then stays in quarantine, also where it stands in the log only', async (t) => {
    const { use, back, restore, paths } = makeState(t);
    use((store) => addBad(store, 'sha256:1'));
    const backup = await back();
    // Left behind by a service that was killed: the newest is in the log.
    const killed = new SqliteDatabase(paths.database);
    t.after(() => killed.close());
    killed.pragma('wal_autocheckpoint = 0');
    killed.exec(`INSERT INTO quarantined_images
      (unit, digest, image, code, detail, count, first_at, last_at) VALUES ('web.service', 'sha256:2', 'i', 'GATE_PROBE_FAILED', '', 3, 5, 6)`);
    const restored = await restore(backup);
    assert.ok(restored.ok, JSON.stringify(restored));
    assert.equal(restored.value.quarantined, 1);
    use((store) => {
      const rows = store.quarantine.list(10).map(({ digest, count }) => [digest, count]);
      assert.deepEqual(rows.sort(), [
        ['sha256:1', 1],
        ['sha256:2', 3],
      ]);
    });
  });

  test('that was cut off while it was prepared leaves nothing in the next one', async (t) => {
    const { paths, use, back, restore } = makeState(t);
    const backup = await back();
    // As a power cut leaves it: the copy, and a log beside it that says more.
    copyFileSync(backup.file, `${paths.database}.restoring`);
    const cut = new SqliteDatabase(`${paths.database}.restoring`);
    cut.pragma('journal_mode = WAL');
    cut.pragma('wal_autocheckpoint = 0');
    cut.exec(`DELETE FROM tasks`);
    copyFileSync(`${paths.database}.restoring-wal`, join(paths.dataDir, 'log'));
    cut.close();
    copyFileSync(join(paths.dataDir, 'log'), `${paths.database}.restoring-wal`);
    assert.ok((await restore(backup)).ok);
    assert.deepEqual(use(taskIds), ['tsk_1']);
    assert.deepEqual(
      readdirSync(paths.dataDir).filter((name) => name.includes('restoring')),
      [],
    );
  });

  test('takes the place of a database that is broken, and says what could not be read', async (t) => {
    const { paths, use, back, restore } = makeState(t);
    const backup = await back();
    writeFileSync(paths.database, 'this is no database, and long enough to be looked at as one');
    const restored = await restore(backup);
    assert.ok(restored.ok, JSON.stringify(restored));
    assert.match(restored.value.unread ?? '', /DATABASE_UNAVAILABLE/);
    assert.deepEqual(use(taskIds), ['tsk_1']);
  });

  test('takes the place of none', async (t) => {
    const { paths, use, back, restore } = makeState(t);
    const backup = await back();
    for (const side of ['', '-wal', '-shm']) rmSync(`${paths.database}${side}`, { force: true });
    const restored = await restore(backup);
    assert.ok(restored.ok, JSON.stringify(restored));
    assert.equal(restored.value.kept, undefined);
    assert.deepEqual(use(taskIds), ['tsk_1']);
  });

  for (const lock of ['supervisorLock', 'workerLock'] as const) {
    test(`not while somebody holds the ${lock}`, async (t) => {
      const { paths, use, back, restore } = makeState(t);
      const backup = await back();
      use((store) => store.tasks.insert(newTask({ id: 'tsk_2' })));
      const held = lockFile(paths[lock]);
      assert.ok(held.ok);
      const refused = await restore(backup);
      assert.deepEqual(
        [refused.ok, !refused.ok && refused.failure.code],
        [false, 'STATE_DIR_IN_USE'],
      );
      held.value.release();
      assert.equal(use(taskIds).length, 2);
      assert.ok((await restore(backup)).ok, 'both locks were given back');
    });
  }

  test('not while a task still has the database open', async (t) => {
    const { paths, use, back, restore } = makeState(t);
    const backup = await back();
    use((store) => store.tasks.insert(newTask({ id: 'tsk_2' })));
    const script = `const { openSync } = require('node:fs'); openSync(process.argv[1]); console.log('open'); setInterval(() => {}, 1000)`;
    const task = spawn(process.execPath, ['-e', script, paths.database], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => task.kill('SIGKILL'));
    await once(task.stdout, 'data');
    const refused = await restore(backup);
    assert.ok(!refused.ok);
    assert.equal(refused.failure.code, 'STATE_DIR_IN_USE');
    assert.match(refused.failure.detail, new RegExp(`^Process ${task.pid} `));
    assert.equal(use(taskIds).length, 2);
  });

  test('not in the middle of an update of the program', async (t) => {
    const { paths, back, restore } = makeState(t);
    const backup = await back();
    writeFileSync(paths.updateRecord, '{}');
    const refused = await restore(backup);
    assert.deepEqual(
      [refused.ok, !refused.ok && refused.failure.code],
      [false, 'UPDATE_IN_PROGRESS'],
    );
  });

  test('not a backup that is damaged: the database stays as it is', async (t) => {
    const { use, back, restore } = makeState(t);
    const backup = await back();
    use((store) => store.tasks.insert(newTask({ id: 'tsk_2' })));
    appendFileSync(backup.file, 'x');
    const refused = await restore(backup);
    assert.deepEqual([refused.ok, !refused.ok && refused.failure.code], [false, 'BACKUP_DAMAGED']);
    assert.equal(use(taskIds).length, 2);
  });
});
