import type { FastifyInstance } from 'fastify';
import { FailureError, fail } from '../../../shared/contract/outcome.ts';
import { emptyBody } from '../../api/self-update-requests.ts';
import { updateStatusView } from '../../api/self-update-views.ts';
import { badgesView, eventsMarkView, taskView } from '../../api/views.ts';
import { type ListFeed, type ListPosition, parsePosition } from '../../tasks/live/list-feed.ts';
import type { SelfUpdate } from '../../updates/self-update.ts';
import type { AdminGate } from '../admin-gate.ts';
import { type EventStreams, LAST_EVENT_ID, STREAM_REFUSALS } from '../event-streams.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly selfUpdate: Pick<SelfUpdate, 'status'>;
  readonly feed: ListFeed;
  readonly streams: EventStreams;
  readonly gate: AdminGate;
};

/**
 * `GET /sse/events`: Server-Sent Events for admins, for everything that shows lists and numbers: `task`, `badges`, `events`,
 * `self-update`, and `reset` to one who comes again too late.
 */
export function registerListStream(app: FastifyInstance, parts: Parts): void {
  const { selfUpdate, feed, streams, gate } = parts;
  serveRoutes(app, { action: 'events-sse', gate }, [
    route(
      {
        method: 'GET',
        url: '/sse/events',
        needs: 'read',
        summary: 'What lists and numbers show, as it changes.',
        headers: LAST_EVENT_ID,
        answers: {
          200: {
            media: ['text/event-stream'],
            about: 'Server-Sent Events.',
            events: {
              task: taskView,
              badges: badgesView,
              events: eventsMarkView,
              'self-update': updateStatusView,
              reset: emptyBody,
            },
          },
        },
        refusals: [...STREAM_REFUSALS, 'REQUEST_INVALID'],
      },
      async (_given, request, reply) => {
        const after = readLastPosition(request.headers['last-event-id']);
        const { view } = await selfUpdate.status();
        feed.join(after, view, streams.open(request, reply));
      },
    ),
  ]);
}

function readLastPosition(header: string | string[] | undefined): ListPosition | undefined {
  if (header === undefined) return undefined;
  const position = parsePosition(String(header));
  if (position) return position;
  throw new FailureError(fail('REQUEST_INVALID', 'Last-Event-ID is not of this stream.').failure);
}
