import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Store } from '../../../../app/db/store.ts';
import { until } from '../../../helpers/until.ts';
import { ask, askAdmin, TOKEN } from '../http-fixture.ts';
import { type Heard, listen } from '../sse-listener.ts';
import { beginTask, finish, startLive, TASK, write } from './live-fixture.ts';

const PATH = `/sse/task-logs?task_id=${TASK}`;

const summaries = (heard: readonly Heard[]) =>
  heard
    .filter(({ event }) => event === 'log')
    .map(({ data }) => String(JSON.parse(data ?? '').summary));

describe('GET /sse/task-logs', () => {
  test('tells what is there, what another process writes, and the end', async (t) => {
    const { port, store, other } = await startLive(t);
    beginTask(store);
    write(store, 'one', TASK, { a: 'line\nbreak' });
    const listener = await listen(t, port, PATH);
    const { statusCode, headers } = listener.response;
    assert.deepEqual(
      [statusCode, headers['content-type'], headers['cache-control']],
      [200, 'text/event-stream; charset=utf-8', 'no-store'],
    );
    const [first] = await listener.hear(1);
    assert.deepEqual(first, {
      retry: '2000',
      id: '1',
      event: 'log',
      data: '{"id":1,"ts":"1970-01-01T00:00:00.005Z","level":"info","action":"test","summary":"one","meta":{"a":"line\\nbreak"}}',
    });
    write(other, 'two');
    await listener.hear(2);
    write(other, 'three');
    finish(other);
    const heard = await listener.hearOut();
    assert.deepEqual(summaries(heard), ['one', 'two', 'three', 'over']);
    assert.deepEqual(
      heard.map(({ id }) => id),
      ['1', '2', '3', '4', undefined],
    );
    assert.deepEqual(heard.at(-1), { event: 'end', data: '{"status":"succeeded"}' });
    assert.equal(listener.response.complete, true);
  });

  test('of a task that is over tells everything, and ends', async (t) => {
    const { port, store } = await startLive(t);
    beginTask(store);
    finish(store);
    const heard = await (await listen(t, port, PATH)).hearOut();
    assert.deepEqual([summaries(heard), heard.at(-1)?.event], [['over'], 'end']);
  });

  test('a task that waits is waited for', async (t) => {
    const { port, store, other } = await startLive(t);
    beginTask(store);
    store.tasks.release({ id: TASK, attempts: 1 }, 3);
    const listener = await listen(t, port, PATH);
    write(other, 'one');
    assert.deepEqual(summaries(await listener.hear(1)), ['one']);
    assert.equal(listener.isOver, false);
  });

  test('who comes again goes on after what was heard last', async (t) => {
    const { port, store, other } = await startLive(t);
    beginTask(store);
    for (const summary of ['one', 'two', 'three']) write(store, summary);
    const listener = await listen(t, port, PATH, '2');
    write(other, 'four');
    finish(other);
    assert.deepEqual(summaries(await listener.hearOut()), ['three', 'four', 'over']);
  });

  test('tells of no other task', async (t) => {
    const { port, store, other } = await startLive(t);
    beginTask(store);
    beginTask(store, { id: 'tsk_other' });
    const listener = await listen(t, port, PATH);
    write(other, 'not this', 'tsk_other');
    write(other, 'this');
    finish(other);
    assert.deepEqual(summaries(await listener.hearOut()), ['this', 'over']);
  });

  test('is refused with the reason', async (t) => {
    const { port, store } = await startLive(t);
    beginTask(store);
    const open = await ask(port, { path: PATH });
    assert.deepEqual([open.status, open.json['code']], [401, 'ADMIN_TOKEN_MISSING']);
    const unknown = await askAdmin(port, '/sse/task-logs?task_id=tsk_no');
    assert.deepEqual([unknown.status, unknown.json['code']], [404, 'TASK_NOT_FOUND']);
    const without = await askAdmin(port, '/sse/task-logs');
    assert.deepEqual([without.status, without.json['code']], [400, 'REQUEST_INVALID']);
    const headers = { authorization: `Bearer ${TOKEN}`, 'last-event-id': 'x' };
    const bad = await ask(port, { path: PATH, headers });
    assert.deepEqual([bad.status, bad.json['code']], [400, 'REQUEST_INVALID']);
  });
});

describe('many readers of one log', () => {
  test('cost the same questions as one', async (t) => {
    const asked = { statuses: 0, newer: 0 };
    const wrap = (store: Store): Store => ({
      ...store,
      tasks: {
        ...store.tasks,
        statusesOf: (ids) => {
          asked.statuses++;
          return store.tasks.statusesOf(ids);
        },
      },
      taskLogs: {
        ...store.taskLogs,
        listNewer: (id) => {
          asked.newer++;
          return store.taskLogs.listNewer(id);
        },
      },
    });
    const { port, store, other } = await startLive(t, { wrap });
    beginTask(store);
    write(store, 'one');
    const listeners = await Promise.all(Array.from({ length: 40 }, () => listen(t, port, PATH)));
    for (const listener of listeners) await listener.hear(1);
    const before = { ...asked };
    finish(other);
    for (const listener of listeners) assert.equal((await listener.hearOut()).length, 3);
    // A commit may be told of more than once, but not once for each reader.
    assert.ok(asked.newer - before.newer <= 4, `${asked.newer - before.newer} questions`);
    assert.ok(asked.statuses - before.statuses <= 4);
  });

  test('each has every entry once and in order, also who comes again in the middle', async (t) => {
    const { port, store, databasePath } = await startLive(t);
    beginTask(store);
    const entries = 1500;
    const script = join(import.meta.dirname, 'write-logs.ts');
    const writer = spawn(process.execPath, [script, databasePath, TASK, String(entries)], {
      stdio: 'inherit',
    });
    const ended = once(writer, 'exit');
    const readers = Array.from({ length: 12 }, async (_, at) => {
      const seen: string[] = [];
      let last: string | undefined;
      // Each one cuts itself off in the middle, some several times, and comes again.
      for (let stop = 100 + at * 60; ; stop += 300) {
        const listener = await listen(t, port, PATH, last);
        await until(
          'enough',
          20_000,
          () => listener.isOver || listener.events().length >= stop % 900,
        );
        const heard = listener.events();
        seen.push(...summaries(heard));
        last = heard.findLast(({ id }) => id !== undefined)?.id ?? last;
        if (heard.at(-1)?.event === 'end') return seen;
        listener.response.destroy();
      }
    });
    const expected = [...Array.from({ length: entries }, (_, at) => `line ${at}`), 'over'];
    for (const seen of await Promise.all(readers)) assert.deepEqual(seen, expected);
    assert.deepEqual(await ended, [0, null]);
  });

  test('a slow one that catches up gets all of a long log', async (t) => {
    const { port, store, other } = await startLive(t);
    beginTask(store);
    const long = 'x'.repeat(20_000);
    store.transact(() => {
      for (let at = 0; at < 600; at++) write(store, `line ${at}`, TASK, { long });
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const sent = request({ host: '127.0.0.1', port, path: PATH, headers, agent: false }).end();
    const [response] = await once(sent, 'response');
    // It does not read before the server has had to wait for it.
    await until('a full buffer', 20_000, () => response.readableLength > 0);
    // What is written meanwhile, and told to others, waits its turn.
    const quick = await listen(t, port, PATH, '600');
    write(other, 'late');
    await quick.hear(1);
    finish(other);
    await quick.hearOut();
    let text = '';
    for await (const chunk of response) text += String(chunk);
    const told = [...text.matchAll(/"summary":"([^"]*)"/g)].map(([, summary]) => summary);
    const expected = Array.from({ length: 600 }, (_, at) => `line ${at}`);
    assert.deepEqual(told, [...expected, 'late', 'over']);
    assert.match(text, /event: end\n/);
  });
});
