import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NewEvent } from '../../../app/db/event-row.ts';
import { createSystemEvents, type SystemEvents } from '../../../app/events/system-events.ts';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import { fail, succeed } from '../../../shared/contract/outcome.ts';

/** The event that an act leaves. */
function eventOf(act: (system: SystemEvents) => void): NewEvent {
  const events: NewEvent[] = [];
  act(createSystemEvents({ record: (event) => void events.push(event) }));
  const [event] = events;
  assert.ok(event && events.length === 1);
  assert.match(event.request_id, /^sys_[0-9a-z]{19}$/);
  assert.deepEqual([event.method, event.actor, event.remote_address], ['SYSTEM', null, null]);
  return event;
}

describe('a system event', () => {
  const { failure } = fail('TASK_LOST', 'After 3 attempts.');
  const refused = fail('UPDATE_ON_HOLD', 'x');
  type Facts = Pick<NewEvent, 'action' | 'path' | 'status' | 'code' | 'task_id'> & { meta: object };
  const ROWS: readonly [title: string, (system: SystemEvents) => void, Facts][] = [
    [
      'of a start has version, commit and schema',
      (system) => system.started({ schema: 4, isTrial: true }),
      {
        ...{ action: 'service-started', path: 'worker', status: 200, code: null, task_id: null },
        meta: { ...PROGRAM, schema: 4, trial: true },
      },
    ],
    [
      'of a stop has version and commit',
      (system) => system.stopped(),
      {
        ...{ action: 'service-stopped', path: 'worker', status: 200, code: null, task_id: null },
        meta: { ...PROGRAM },
      },
    ],
    [
      'of a task that begins again has how it went',
      (system) => system.taskLost('tsk_1', 'SIGKILL ended it', undefined),
      {
        ...{ action: 'task-resumed', path: 'tasks', status: 200, code: null, task_id: 'tsk_1' },
        meta: { how: 'SIGKILL ended it' },
      },
    ],
    [
      'of a task that is closed has the code',
      (system) => system.taskLost('tsk_1', 'SIGKILL ended it', failure),
      {
        ...{ action: 'task-lost', path: 'tasks', status: 500, code: 'TASK_LOST', task_id: 'tsk_1' },
        meta: { how: 'SIGKILL ended it' },
      },
    ],
    [
      'of a tick has the update that began',
      (system) => system.ticked(succeed({ txn: 'upd_1' }), false),
      {
        ...{ action: 'scheduler', path: 'self-update', status: 202, code: null, task_id: null },
        meta: { dry_run: false, txn: 'upd_1' },
      },
    ],
    [
      'of a tick that was refused has the code',
      (system) => system.ticked(refused, true),
      {
        ...{ action: 'scheduler', path: 'self-update', status: 409, code: 'UPDATE_ON_HOLD' },
        ...{ task_id: null, meta: { dry_run: true } },
      },
    ],
    [
      'of a report has its file and its task',
      (system) => system.reportImported('a.json', 'tsk_1'),
      {
        ...{ action: 'self-update-report', path: 'self-update', status: 200, code: null },
        ...{ task_id: 'tsk_1', meta: { file: 'a.json' } },
      },
    ],
  ];
  for (const [title, act, facts] of ROWS) {
    test(title, () => {
      const { action, path, status, code, task_id, meta } = eventOf(act);
      assert.deepEqual(
        { action, path, status, code, task_id, meta: JSON.parse(meta ?? '') },
        facts,
      );
    });
  }
});
