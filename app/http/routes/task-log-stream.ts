import type { FastifyInstance } from 'fastify';
import { FailureError, fail } from '../../../shared/contract/outcome.ts';
import { taskLogStreamQuery } from '../../api/queries.ts';
import type { Store } from '../../db/store.ts';
import type { TaskLogFeed } from '../../tasks/live/task-log-feed.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import type { EventStreams } from '../event-streams.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { readBy } from '../read-json-body.ts';

type Parts = {
  readonly store: Pick<Store, 'tasks'>;
  readonly feed: TaskLogFeed;
  readonly streams: EventStreams;
  readonly gate: AdminGate;
};

const URL = '/sse/task-logs';

/**
 * `GET /sse/task-logs?task_id=`: Server-Sent Events for admins, one `log` for each entry of a task's log, the old ones first,
 * and `end` when the task is over. The id of an event is that of the entry; who comes again goes on after it.
 */
export function registerTaskLogStream(app: FastifyInstance, parts: Parts): void {
  const { store, feed, streams, gate } = parts;
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, () => 'tasks-sse');
    scope.get(URL, (request, reply) => {
      const { task_id: id } = readBy(taskLogStreamQuery, request.query);
      const last = readLastId(request.headers['last-event-id']);
      if (!store.tasks.find(id)) throw new FailureError(fail('TASK_NOT_FOUND', '').failure);
      request.note.meta = { task: id };
      feed.join(id, last, streams.open(request, reply));
    });
    refuseOtherMethods(scope, URL, 'GET', 'tasks-sse');
    done();
  });
}

function readLastId(header: string | string[] | undefined): number {
  if (header === undefined) return 0;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw new FailureError(
    fail('REQUEST_INVALID', 'Last-Event-ID is not the id of a log entry.').failure,
  );
}
