import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { ask, askAdmin, deliver, makeFolder, SECRET, TOKEN } from '../http/http-fixture.ts';
import { runProgram, startProgram } from './program.ts';

function environmentIn(folder: string, rest: Readonly<Record<string, string>> = {}) {
  return { PODUP_STATE_DIR: folder, PODUP_HTTP_ADDR: '127.0.0.1:0', ...rest };
}

function portOf(serving: Readonly<Record<string, unknown>>): number {
  return Number(String(serving['address']).split(':').pop());
}

describe('http-server', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`alone it serves on a port of its own, and ${signal} ends it with 0`, async (t) => {
      const folder = makeFolder(t);
      const { child, ended, logged } = startProgram(
        t,
        ['http-server'],
        environmentIn(folder, {
          PODUP_TOKEN: TOKEN,
          PODUP_GH_WEBHOOK_SECRET: SECRET,
        }),
      );
      const port = portOf(await logged('serving'));
      assert.equal((await askAdmin(port, '/api/tasks')).status, 200);
      const answer = await deliver(port, 'nobody', '{}', { 'x-github-event': 'ping' });
      assert.equal(answer.status, 200);
      child.kill(signal);
      const { code, stdout, stderr } = await ended;
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /"msg":"stopped"/);
      assert.ok(!stdout.includes(TOKEN) && !stdout.includes(SECRET));
      const store = openStore(join(folder, 'data/pod-upgrade-trigger.db'), {
        version: '0',
        nowMs: 1,
      });
      assert.ok(store.ok);
      t.after(() => store.value.close());
      const events = store.value.events.list({ limit: 20 }).rows.map(({ action }) => action);
      // What is found on this machine, and when, is none of this.
      const actions = events.filter((action) => action !== 'discovery');
      assert.deepEqual(actions, [
        'service-stopped',
        'github-webhook',
        'tasks-api',
        'service-started',
      ]);
    });
  }

  test('a stop right after the answers loses none of their events', async (t) => {
    const folder = makeFolder(t);
    const { child, ended, logged } = startProgram(
      t,
      ['http-server'],
      environmentIn(folder, { PODUP_TOKEN: TOKEN }),
    );
    const port = portOf(await logged('serving'));
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, at) => ask(port, { path: `/asked/${at}` })),
    );
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
    const store = openStore(join(folder, 'data/pod-upgrade-trigger.db'), {
      version: '0',
      nowMs: 1,
    });
    assert.ok(store.ok);
    t.after(() => store.value.close());
    const { rows } = store.value.events.list({ limit: 500, path: '/asked/' });
    assert.deepEqual(
      rows.map(({ request_id: id }) => id).sort(),
      answers.map(({ headers }) => headers['x-request-id']).sort(),
    );
    assert.equal(store.value.events.verify().fault, null);
  });

  test('without secrets it serves closed, and the log says so', async (t) => {
    const { logged } = startProgram(t, ['server', '--http-addr', '127.0.0.1:0'], {
      PODUP_STATE_DIR: makeFolder(t),
      PODUP_HTTP_ADDR: '127.0.0.1:1',
      PODUP_TYPO: 'x',
    });
    const port = portOf(await logged('serving'));
    assert.notEqual(port, 1);
    await logged('PODUP_TOKEN is not set: only tokens that were made open the API');
    await logged('PODUP_GH_WEBHOOK_SECRET is not set: webhooks are refused');
    assert.equal(
      (await ask(port, { path: '/api/tasks' })).json['code'],
      'ADMIN_TOKEN_NOT_CONFIGURED',
    );
    assert.equal((await deliver(port, 'web', '{}')).json['code'], 'WEBHOOK_SECRET_NOT_CONFIGURED');
  });

  test('a stop that comes before it serves is obeyed', async (t) => {
    const { child, ended, logged } = startProgram(t, ['http-server'], environmentIn(makeFolder(t)));
    await logged('PODUP_TOKEN is not set: only tokens that were made open the API');
    child.kill('SIGTERM');
    const { code, stdout } = await ended;
    assert.deepEqual([code, /"msg":"stopped"/.test(stdout)], [0, true]);
  });

  test('a wrong configuration ends it with 78 and every fault', async (t) => {
    const folder = makeFolder(t);
    const rest = { PODUP_TASK_EXECUTOR: 'docker', PODUP_LOG_LEVEL: 'loud' };
    const { code, stderr } = await runProgram(t, ['http-server'], environmentIn(folder, rest));
    assert.equal(code, EXIT.configInvalid);
    assert.match(stderr, /PODUP_TASK_EXECUTOR: "docker"[\s\S]*PODUP_LOG_LEVEL: "loud"/);
    assert.equal(existsSync(join(folder, 'data')), false);
  });

  test('an address that is taken ends it with 69', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const folder = makeFolder(t);
    const { code, stderr } = await runProgram(
      t,
      ['http-server'],
      environmentIn(folder, { PODUP_HTTP_ADDR: address }),
    );
    assert.equal(code, EXIT.socketUnavailable);
    assert.match(stderr, new RegExp(`^SOCKET_UNAVAILABLE: .*${address}: EADDRINUSE`));
  });

  test('a descriptor that is no socket ends it with 69', async (t) => {
    const words = ['http-server', '--listen-fd', '77'];
    const { code, stderr } = await runProgram(t, words, environmentIn(makeFolder(t)));
    assert.equal(code, EXIT.socketUnavailable);
    assert.match(stderr, /^SOCKET_UNAVAILABLE: .*descriptor 77/);
  });

  test('one that serves already keeps a second one off its state, until it is dead', async (t) => {
    const folder = makeFolder(t);
    const first = startProgram(t, ['http-server'], environmentIn(folder));
    await first.logged('serving');
    const second = await runProgram(t, ['http-server'], environmentIn(folder));
    assert.equal(second.code, EXIT.socketUnavailable);
    assert.match(second.stderr, new RegExp(`^STATE_DIR_IN_USE: .*Process ${first.child.pid} `));
    const third = startProgram(t, ['http-server'], environmentIn(folder));
    first.child.kill('SIGKILL');
    await third.logged('serving');
  });

  test('a database of a newer version that forbids this one ends it with 78', async (t) => {
    const folder = makeFolder(t);
    const path = join(folder, 'data/pod-upgrade-trigger.db');
    const made = openStore(path, { version: '0', nowMs: 1 });
    assert.ok(made.ok);
    made.value.close();
    const database = new SqliteDatabase(path);
    database.exec(
      `INSERT INTO schema_migrations VALUES (9999, '9999-new', 'x', 'must-not-run', '99.0.0', 1)`,
    );
    database.close();
    const { code, stderr } = await runProgram(t, ['http-server'], environmentIn(folder));
    assert.equal(code, EXIT.configInvalid);
    assert.match(stderr, /^DATABASE_SCHEMA_NEWER: .*9999-new of version 99\.0\.0/);
  });

  test('a state directory that cannot be made ends it with 1', async (t) => {
    const folder = makeFolder(t);
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await runProgram(
      t,
      ['http-server'],
      environmentIn(join(folder, 'file')),
    );
    assert.equal(code, EXIT.failure);
    assert.match(stderr, /^STATE_DIR_UNUSABLE: .*(ENOTDIR|EEXIST)/);
  });
});

describe('run-task', () => {
  const ID = 'tsk_0000000000000000000';

  test('a task that is not there ends it with 1', async (t) => {
    const { code, stdout } = await runProgram(t, ['run-task', ID, '1'], {
      PODUP_STATE_DIR: makeFolder(t),
    });
    assert.equal(code, EXIT.failure);
    assert.match(stdout, /not there to be taken/);
  });

  test('a wrong configuration ends it with 78, a database that cannot be used with 1', async (t) => {
    const folder = makeFolder(t);
    writeFileSync(join(folder, 'data'), '');
    const wrong = await runProgram(t, ['run-task', ID, '1'], { PODUP_STATE_DIR: 'relative' });
    assert.equal(wrong.code, EXIT.configInvalid);
    assert.match(wrong.stderr, /PODUP_STATE_DIR/);
    const unusable = await runProgram(t, ['run-task', ID, '1'], { PODUP_STATE_DIR: folder });
    assert.equal(unusable.code, EXIT.failure);
    assert.match(unusable.stdout, /DATABASE_UNAVAILABLE/);
  });
});
