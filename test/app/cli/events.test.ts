import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import type { NewEvent } from '../../../app/db/event-row.ts';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { someEvent } from '../../helpers/events.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { runProgram } from './program.ts';

/** A state directory with events of the last seconds. */
function makeState(context: TestContext, events: readonly Partial<NewEvent>[]) {
  const stateDir = makeTempFolder(context);
  mkdirSync(join(stateDir, 'data'));
  const file = join(stateDir, 'data/pod-upgrade-trigger.db');
  const opened = openStore(file, { version: 'test', nowMs: 1 });
  assert.ok(opened.ok);
  const { value: store } = opened;
  context.after(() => store.close());
  store.events.insertAll(events.map((event) => someEvent({ ts: Date.now(), ...event })));
  const run = (words: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    runProgram(context, ['events', ...words], { PODUP_STATE_DIR: stateDir, ...environment });
  return { store, stateDir, file, run };
}

describe('events list', () => {
  test('shows what fits, newest first, for people and for programs', async (t) => {
    const { run } = makeState(t, [
      { path: '/a', status: 404, code: 'NOT_FOUND' },
      { path: '/b', task_id: 'tsk_1', request_id: 'req_7' },
      { path: '/c', status: 409 },
    ]);
    const table = await run(['list', '--status', '4xx', '--method', 'GET']);
    assert.deepEqual([table.code, table.stderr], [EXIT.ok, '']);
    const [head, first, second, ...rest] = table.stdout.trimEnd().split('\n');
    assert.match(head ?? '', /^ID +TIME +METHOD +PATH/);
    assert.match(first ?? '', /^3 .*GET +\/c +409 /);
    assert.match(second ?? '', /^1 .*GET +\/a +404 .*NOT_FOUND/);
    assert.deepEqual(rest, []);
    const json = await run(['list', '--task', 'tsk_1', '--request', 'req_7', '--json']);
    const page = JSON.parse(json.stdout);
    assert.deepEqual([page.events[0].path, page.events.length, page.next_cursor], ['/b', 1, null]);
  });

  test('stops at its limit and says how to go on', async (t) => {
    const { run } = makeState(t, [{}, {}, {}]);
    const first = await run(['list', '--limit', '2', '--method', 'GET']);
    assert.match(first.stdout, /\nMore: --cursor 2\n$/);
    const second = await run(['list', '--limit', '2', '--method', 'GET', '--cursor', '2']);
    assert.equal(second.stdout.trimEnd().split('\n').length, 2);
  });

  test('looks on by itself where a page has found nothing', async (t) => {
    const { run, store } = makeState(t, [{ action: 'even', method: 'POST' }]);
    for (let batch = 0; batch < 12; batch++) {
      store.events.insertAll(
        Array.from({ length: 2_000 }, (_, at) =>
          someEvent(at % 2 === 0 ? { action: 'even' } : { action: 'odd', method: 'POST' }),
        ),
      );
    }
    const filter = { action: 'even', method: 'POST', limit: 9 };
    assert.deepEqual(store.events.list(filter).rows, []);
    const { stdout } = await run(['list', '--action', 'even', '--method', 'POST']);
    assert.match(stdout, /\n1 .*POST/);
    const none = await run(['list', '--action', 'none', '--method', 'POST']);
    assert.equal(none.stdout, 'No event is like that.\n');
  });

  test('with a wrong option ends with 2 and names it', async (t) => {
    const { run } = makeState(t, []);
    const { code, stdout, stderr } = await run(['list', '--from', 'yesterday']);
    assert.deepEqual([code, stdout], [EXIT.usage, '']);
    assert.match(stderr, /^REQUEST_INVALID: .*from: expected a time such as/);
  });
});

describe('events export', () => {
  test('writes what fits to standard output', async (t) => {
    const { run } = makeState(t, [{ path: '/a' }, { path: '/b' }, { path: '/ab' }]);
    const { code, stdout } = await run(['export', '--format', 'jsonl', '--path', '/a']);
    const paths = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).path);
    assert.deepEqual([code, paths], [EXIT.ok, ['/ab', '/a']]);
  });

  test('writes a new file that only its owner can read, and no other', async (t) => {
    const { run, stateDir } = makeState(t, [{}, {}]);
    const output = join(stateDir, 'events.csv');
    const { code, stdout } = await run(['export', '--format', 'csv', '--output', output]);
    assert.deepEqual([code, stdout], [EXIT.ok, '']);
    assert.equal(statSync(output).mode & 0o777, 0o600);
    assert.equal(readFileSync(output, 'utf8').split('\r\n').length, 4);
    writeFileSync(output, 'mine');
    const again = await run(['export', '--format', 'csv', '--output', output]);
    assert.equal(again.code, EXIT.failure);
    assert.match(again.stderr, /events\.csv cannot be written: it is there already\.$/m);
    assert.equal(readFileSync(output, 'utf8'), 'mine');
  });

  test('without a format ends with 2', async (t) => {
    const { run } = makeState(t, []);
    const { code, stderr } = await run(['export']);
    assert.equal(code, EXIT.usage);
    assert.match(stderr, /--format/);
  });
});

describe('events verify', () => {
  test('says that all fits, with the head, and finds a head that was noted', async (t) => {
    const { run, store } = makeState(t, [{}, {}]);
    const { chain } = store.events.verify();
    const noted = chain?.headHash ?? '';
    const { code, stdout, stderr } = await run(['verify']);
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.equal(stdout, `2 events fit.\nHead: ${noted} (event 2)\n`);
    const found = await run(['verify', '--head', noted.toUpperCase(), '--json']);
    const { ok, verified, head, kept_rows: kept } = JSON.parse(found.stdout);
    assert.deepEqual([found.code, ok, verified, head.id, kept], [EXIT.ok, true, 3, 3, 3]);
    const lost = await run(['verify', '--head', '0'.repeat(63).concat('1')]);
    assert.equal(lost.code, EXIT.failure);
    assert.match(lost.stderr, /^EVENT_CHAIN_BROKEN: .*The noted head is no row/);
    assert.equal((await run(['verify', '--head', 'abc'])).code, EXIT.usage);
  });

  test('names the first row that is wrong and ends with 1', async (t) => {
    const { run, file } = makeState(t, [{}, {}, {}]);
    const other = new SqliteDatabase(file);
    other.exec("UPDATE events SET actor = 'nobody' WHERE id = 2");
    other.close();
    const { code, stdout, stderr } = await run(['verify']);
    assert.equal(code, EXIT.failure);
    assert.match(stdout, /^1 events fit before the first fault\.$/m);
    assert.match(stderr, /^EVENT_CHAIN_BROKEN: .* Row 2 was edited/);
    const json = JSON.parse((await run(['verify', '--json'])).stdout);
    assert.deepEqual([json.ok, json.fault.kind, json.fault.id], [false, 'edited', 2]);
  });
});

describe('a call on the command line', () => {
  test('is an event with its words, its user, its end and how long it took', async (t) => {
    const { run, store } = makeState(t, []);
    await run(['list', '--limit', '3', '--action', 'x'.repeat(600)]);
    const [event, ...rest] = store.events.list({ limit: 9 }).rows;
    assert.deepEqual(rest, []);
    assert.match(event?.request_id ?? '', /^cli_[0-9a-z]{19}$/);
    const { method, path, action, status, actor, meta, duration_us: took } = event ?? {};
    assert.deepEqual(
      [method, path, action, status, actor],
      ['CLI', 'events list', 'cli-events-list', 400, `uid ${process.getuid?.()}`],
    );
    const { exit, options } = JSON.parse(meta ?? '');
    assert.deepEqual([exit, options.limit, options.action.length], [EXIT.usage, '3', 500]);
    assert.ok(Number(took) > 0);
  });

  test('is none where it only reads the configuration, or was not begun', async (t) => {
    const { stateDir, store } = makeState(t, []);
    const environment = { PODUP_STATE_DIR: stateDir };
    await runProgram(t, ['check-config'], environment);
    await runProgram(t, ['db-inspect'], environment);
    await runProgram(t, ['run-task', 'tsk_0000000000000000000', '1'], environment);
    await runProgram(t, ['events', 'nothing'], environment);
    await runProgram(t, ['events', '--help'], environment);
    assert.deepEqual(store.events.list({ limit: 9 }).rows, []);
  });

  test('makes no database where there is none', async (t) => {
    const stateDir = makeTempFolder(t);
    const words = ['self-update', 'history'];
    const { code, stderr } = await runProgram(t, words, { PODUP_STATE_DIR: stateDir });
    assert.deepEqual([code, stderr, existsSync(join(stateDir, 'data'))], [EXIT.ok, '', false]);
  });

  test('leaves a database of another version as it is, and says so', async (t) => {
    const { stateDir, file, store } = makeState(t, []);
    const other = new SqliteDatabase(file);
    other.pragma('user_version = 3');
    const words = ['self-update', 'history'];
    const { code, stderr } = await runProgram(t, words, { PODUP_STATE_DIR: stateDir });
    assert.equal(code, EXIT.ok);
    assert.match(stderr, /^This call is not in the event log\. DATABASE_UNAVAILABLE: .*schema 3/);
    assert.equal(other.pragma('user_version', { simple: true }), 3);
    other.close();
    assert.deepEqual(store.events.list({ limit: 9 }).rows, []);
  });
});
