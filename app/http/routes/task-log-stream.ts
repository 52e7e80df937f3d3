import type { FastifyInstance } from 'fastify';
import { FailureError, fail } from '../../../shared/contract/outcome.ts';
import { taskLogStreamQuery } from '../../api/queries.ts';
import { taskLogEndView, taskLogView } from '../../api/views.ts';
import type { Store } from '../../db/store.ts';
import type { TaskLogFeed } from '../../tasks/live/task-log-feed.ts';
import type { AdminGate } from '../admin-gate.ts';
import { type EventStreams, LAST_EVENT_ID, STREAM_REFUSALS } from '../event-streams.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly store: Pick<Store, 'tasks'>;
  readonly feed: TaskLogFeed;
  readonly streams: EventStreams;
  readonly gate: AdminGate;
};

/**
 * `GET /sse/task-logs?task_id=`: Server-Sent Events for admins, one `log` for each entry of a task's log, the old ones first,
 * and `end` when the task is over. The id of an event is that of the entry; who comes again goes on after it.
 */
export function registerTaskLogStream(app: FastifyInstance, parts: Parts): void {
  const { store, feed, streams, gate } = parts;
  serveRoutes(app, { action: 'tasks-sse', gate }, [
    route(
      {
        method: 'GET',
        url: '/sse/task-logs',
        needs: 'read',
        summary: 'The log of a task, as it is written.',
        headers: LAST_EVENT_ID,
        query: taskLogStreamQuery,
        answers: {
          200: {
            media: ['text/event-stream'],
            about: 'Server-Sent Events.',
            events: { log: taskLogView, end: taskLogEndView },
          },
        },
        refusals: [...STREAM_REFUSALS, 'TASK_NOT_FOUND'],
      },
      ({ query: { task_id: id } }, request, reply) => {
        const last = readLastId(request.headers['last-event-id']);
        if (!store.tasks.find(id)) throw new FailureError(fail('TASK_NOT_FOUND', '').failure);
        request.note.meta = { task: id };
        feed.join(id, last, streams.open(request, reply));
      },
    ),
  ]);
}

function readLastId(header: string | string[] | undefined): number {
  if (header === undefined) return 0;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw new FailureError(
    fail('REQUEST_INVALID', 'Last-Event-ID is not the id of a log entry.').failure,
  );
}
