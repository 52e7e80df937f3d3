import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { parseWorkerNotice, type WorkerNotice } from '../../shared/contract/worker-messages.ts';
import { ASSET, buildRelease, makeSigner, publish } from './release.ts';
import { type Behaviour, NEXT_MIGRATION, toEffects, WRONG_VERSION } from './release-behaviours.ts';
import { makeTempFolder } from './temp-folder.ts';

/** Builds a release and starts its worker under a name that is none of a module. */
async function startWorker(t: TestContext, ...behaviours: Behaviour[]) {
  const folder = makeTempFolder(t);
  const release = await buildRelease({
    version: '8.0.0',
    folder,
    name: 'program.new',
    break: behaviours,
  });
  const child = spawn(release.file, ['http-server'], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PODUP_STATE_DIR: join(folder, 'state'), PODUP_HTTP_ADDR: '127.0.0.1:0' },
  });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.stderr);
  const stderr = text(child.stderr);
  const ready = new Promise<WorkerNotice>((resolve) => {
    child.on('message', (message) => {
      const notice = parseWorkerNotice(message);
      if (notice?.kind === 'worker-ready') resolve(notice);
    });
  });
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  return { child, release, ready, ended, stderr, folder };
}

describe('a release', () => {
  test('serves under any name, with its thread, and stops', async (t) => {
    const { child, ready, ended, stderr } = await startWorker(t);
    const notice = await ready;
    assert.ok(notice.kind === 'worker-ready');
    assert.deepEqual([notice.version, notice.schema], ['8.0.0', NEXT_MIGRATION - 1]);
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.equal(await stderr, '');
  });

  test('is told apart by its content, and runs after it was renamed', async (t) => {
    const folder = makeTempFolder(t);
    const [one, other] = [
      await buildRelease({ version: '8.0.0', folder }),
      await buildRelease({ version: '8.0.0', folder, name: 'other', commit: 'another' }),
    ];
    assert.notEqual(one.digest, other.digest);
    for (const { file, digest, bytes } of [one, other]) {
      assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), digest);
      assert.equal(statSync(file).size, bytes);
    }
    renameSync(other.file, join(folder, 'program.old'));
    const { stdout } = spawnSync(join(folder, 'program.old'), ['--version'], { encoding: 'utf8' });
    assert.equal(stdout, '8.0.0 (another)\n');
  });
});

describe('a bad release', () => {
  for (const [behaviour, end] of [
    ['crash-at-start', 1],
    ['exit-78', 78],
    ['exit-10', 10],
  ] as const) {
    test(`${behaviour}: its worker ends with ${end}, other commands do not`, async (t) => {
      const { ended, release } = await startWorker(t, behaviour);
      assert.equal(await ended, end);
      assert.equal(spawnSync(release.file, ['--version']).status, 0);
    });
  }

  test('crash-after-ms: its worker ends with 1 after it was ready', async (t) => {
    const { ready, ended } = await startWorker(t, 'crash-after-ms:50');
    await ready;
    assert.equal(await ended, 1);
  });

  test('wrong-version: its worker names another version', async (t) => {
    const { ready, release } = await startWorker(t, 'wrong-version');
    const notice = await ready;
    assert.equal(notice.kind === 'worker-ready' && notice.version, WRONG_VERSION);
    assert.match(spawnSync(release.file, ['--version'], { encoding: 'utf8' }).stdout, /^8\.0\.0 /);
  });

  test('ignore-sigterm: its worker goes on', async (t) => {
    const { child, ready, ended } = await startWorker(t, 'ignore-sigterm', 'crash-after-ms:400');
    await ready;
    child.kill('SIGTERM');
    assert.equal(await ended, 1);
  });

  test('hang: its worker ends by a signal, and not even so where it ignores that', async (t) => {
    const hanging = await startWorker(t, 'hang');
    const dull = await startWorker(t, 'hang', 'ignore-sigterm', 'crash-at-start');
    assert.equal(await dull.ended, 1);
    hanging.child.kill('SIGTERM');
    assert.equal(await hanging.ended, 'SIGTERM');
  });

  test('supervisor-throws: its supervisor ends at once', async (t) => {
    const folder = makeTempFolder(t);
    const { file } = await buildRelease({ version: '8.0.0', folder, break: 'supervisor-throws' });
    const { status, stderr } = spawnSync(file, ['supervise'], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /this supervisor is broken on purpose/);
  });

  test('self-check-hangs: it gives no answer', async (t) => {
    const folder = makeTempFolder(t);
    const { file } = await buildRelease({ version: '8.0.0', folder, break: 'self-check-hangs' });
    const { error } = spawnSync(file, ['--self-check'], { timeout: 1_000 });
    assert.equal((error as NodeJS.ErrnoException).code, 'ETIMEDOUT');
  });

  test('migration: a further one is applied by the worker', async (t) => {
    const number = NEXT_MIGRATION + 3;
    const { ready, folder } = await startWorker(
      t,
      `migration:${number}:must-not-run`,
      `migration:${NEXT_MIGRATION}:may-run:CREATE TABLE own (x INTEGER DEFAULT (1 + 1)) STRICT;`,
    );
    const notice = await ready;
    assert.equal(notice.kind === 'worker-ready' && notice.schema, number);
    const database = new SqliteDatabase(join(folder, 'state/data/pod-upgrade-trigger.db'));
    const rows = database
      .prepare('SELECT version, older_program FROM schema_migrations')
      .raw()
      .all();
    assert.deepEqual(rows.slice(-2), [
      [NEXT_MIGRATION, 'may-run'],
      [number, 'must-not-run'],
    ]);
    database.prepare(`SELECT x FROM own JOIN release_${number} USING (x)`).all();
    database.close();
  });

  test('migration-throws: the worker fails, the self-check does not', async (t) => {
    const { ended, release, stderr } = await startWorker(t, 'migration-throws');
    assert.equal(await ended, 1);
    assert.match(await stderr, /no such table: no_such_table/);
    assert.equal(spawnSync(release.file, ['--self-check']).status, 0);
  });

  test('slow-migration: it takes about so long, in the worker only', () => {
    const [migration] = toEffects(['slow-migration:300']).migrations;
    const timeOf = (sql = '') => {
      const database = new SqliteDatabase(':memory:');
      const startedAt = performance.now();
      database.exec(sql);
      database.close();
      return performance.now() - startedAt;
    };
    const [plain, slow] = [timeOf(migration?.plain.sql), timeOf(migration?.worker.sql)];
    assert.ok(plain < 50 && slow > 100 && slow < 3_000, `${plain} ms, ${slow} ms`);
  });

  for (const unknown of ['crash', `migration:${NEXT_MIGRATION - 1}:may-run`]) {
    test(`${unknown} is no behaviour`, () => {
      assert.throws(() => toEffects([unknown as Behaviour]), /no behaviour|already/);
    });
  }
});

describe('publish', () => {
  test('lays a release out with everything that goes with it', async (t) => {
    const folder = makeTempFolder(t);
    const release = await buildRelease({ version: '8.1.0', generation: 7, folder });
    const signer = makeSigner('us');
    publish(folder, release, { sign: signer });
    const at = (ending: string) =>
      readFileSync(join(folder, 'v8.1.0', `${ASSET}${ending}`), 'utf8');
    assert.equal(at('.sha256'), `${release.digest}  ${ASSET}\n`);
    const { generation, sha256, bytes } = JSON.parse(at('.manifest.json'));
    assert.deepEqual([generation, sha256, bytes], [7, release.digest, release.bytes]);
    const [{ keyId, signature }] = JSON.parse(at('.manifest.json.sig')).signatures;
    const key = createPublicKey(signer.privateKey);
    assert.equal(keyId, 'us');
    assert.ok(
      verify(null, Buffer.from(at('.manifest.json')), key, Buffer.from(signature, 'base64')),
    );
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'releases.json'), 'utf8')), [
      { tag: 'v8.1.0', version: '8.1.0', prerelease: false },
    ]);
  });

  test('leaves out what it is told to, and keeps other releases', async (t) => {
    const folder = makeTempFolder(t);
    const release = await buildRelease({ version: '8.1.0', folder });
    publish(folder, release);
    publish(folder, release, { tag: 'v8.2.0', without: ['', '.manifest.json'], prerelease: true });
    assert.equal(existsSync(join(folder, 'v8.2.0', ASSET)), false);
    assert.equal(existsSync(join(folder, 'v8.2.0', `${ASSET}.manifest.json`)), false);
    const listed: { tag: string }[] = JSON.parse(
      readFileSync(join(folder, 'releases.json'), 'utf8'),
    );
    assert.deepEqual(
      listed.map(({ tag }) => tag),
      ['v8.2.0', 'v8.1.0'],
    );
  });
});
