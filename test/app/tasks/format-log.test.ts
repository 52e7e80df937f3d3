import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatLog } from '../../../app/tasks/format-log.ts';
import { toLogView } from '../../../app/tasks/task-view.ts';

describe('format log', () => {
  for (const meta of [null, '{"a":"line\\nbreak","b":[1,null]}', '"text"']) {
    test(`an entry with ${meta} is what its view is as JSON, on one line`, () => {
      const head = { id: 7, task_id: 'tsk_1', ts: 5, level: 'info', action: 'a' } as const;
      const row = { ...head, summary: 'x "y"\nz', meta };
      assert.equal(formatLog(row), JSON.stringify(toLogView(row)));
    });
  }
});
