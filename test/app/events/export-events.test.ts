import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { exportEvents } from '../../../app/events/export-events.ts';
import { someEvent } from '../../helpers/events.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

describe('an export', () => {
  test('as JSON lines has every row, newest first, and the chain can be checked from it alone', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    store.events.insertAll(
      Array.from({ length: 1_200 }, (_, at) =>
        someEvent({ ts: at, meta: at % 2 === 0 ? '{"a":"\\"é"}' : null, task_id: 'tsk_1' }),
      ),
    );
    const text = [...exportEvents(store, {}, 'jsonl')].join('');
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual([rows.length, rows[0].id, rows.at(-1).id], [1_200, 1_200, 1]);
    let previous = '0'.repeat(64);
    for (const { hash, ...row } of rows.reverse()) {
      const hashed = `${previous}\n${JSON.stringify(Object.values(row))}`;
      assert.equal(hash, createHash('sha256').update(hashed).digest('hex'));
      previous = hash;
    }
    assert.equal(previous, store.events.verify().chain?.headHash);
  });

  test('as CSV has a head, times for people, and no formula', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    store.events.insertAll([
      someEvent({
        ts: 1_700_000_000_000,
        duration_us: 1_500,
        path: '=1+1',
        meta: '{"a":1,"b":"x"}',
      }),
    ]);
    const lines = [...exportEvents(store, {}, 'csv')].join('').split('\r\n');
    assert.deepEqual(
      lines.map((line) => line.replace(/[0-9a-f]{64}$/, 'HASH')),
      [
        'id,request_id,time,method,path,status,action,code,actor,remote_address,duration_ms,task_id,meta,hash',
        `1,req_1,2023-11-14T22:13:20.000Z,GET,'=1+1,200,tasks-api,,admin,127.0.0.1,1.5,,"{""a"":1,""b"":""x""}",HASH`,
        '',
      ],
    );
  });

  test('has only what fits, and leaves out what is recorded while it is written', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    store.events.insertAll(
      Array.from({ length: 1_500 }, (_, at) => someEvent({ action: at % 3 === 0 ? 'a' : 'b' })),
    );
    const parts = exportEvents(store, { action: 'a' }, 'jsonl');
    const first = parts.next().value ?? '';
    store.events.insertAll([someEvent({ action: 'a' })]);
    const text = first + [...parts].join('');
    assert.equal(text.trimEnd().split('\n').length, 500);
  });

  test('is made part by part, each when it is asked for', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    store.events.insertAll(Array.from({ length: 1_200 }, () => someEvent()));
    let asked = 0;
    const events = {
      ...store.events,
      list: (query: Parameters<typeof store.events.list>[0]) => {
        asked++;
        return store.events.list(query);
      },
    };
    const parts = exportEvents({ events }, {}, 'jsonl');
    assert.equal(asked, 0);
    parts.next();
    assert.equal(asked, 1);
    parts.next();
    assert.equal(asked, 2);
  });
});
