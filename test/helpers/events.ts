import type { NewEvent } from '../../app/db/event-row.ts';

/** An event as a request leaves it, as `over` changes it. */
export function someEvent(over: Partial<NewEvent> = {}): NewEvent {
  return {
    request_id: 'req_1',
    ts: 1_000,
    method: 'GET',
    path: '/api/tasks',
    status: 200,
    action: 'tasks-api',
    code: null,
    actor: 'admin',
    remote_address: '127.0.0.1',
    duration_us: 5,
    task_id: null,
    meta: null,
    ...over,
  };
}
