import type { FastifyInstance } from 'fastify';
import { type UpdateStatusView, updateStatusView } from '../../api/self-update-views.ts';
import { formatFrame, type LiveReader } from '../../tasks/live/live-reader.ts';
import type { SelfUpdate } from '../../updates/self-update.ts';
import type { AdminGate } from '../admin-gate.ts';
import { type EventStreams, STREAM_REFUSALS } from '../event-streams.ts';
import { route, serveRoutes } from '../serve-routes.ts';

/** What the stream works with. */
export type StreamParts = {
  readonly selfUpdate: Pick<SelfUpdate, 'status' | 'onStatus'>;
  readonly streams: EventStreams;
  readonly gate: AdminGate;
};

/**
 * `GET /sse/self-update`: Server-Sent Events for admins, one `status` at once and one for each change, states of an
 * update and bytes of a download alike. The id of an event is the number of its change. Gives what ends the listening to
 * the updates.
 */
export function registerSelfUpdateStream(app: FastifyInstance, parts: StreamParts): () => void {
  const { selfUpdate, streams, gate } = parts;
  const readers = new Set<LiveReader>();
  const stopListening = selfUpdate.onStatus((change, view) => {
    const frame = formatStatus(change, view);
    for (const reader of readers) reader.send(frame);
  });
  serveRoutes(app, { action: 'self-update-stream', gate }, [
    route(
      {
        method: 'GET',
        url: '/sse/self-update',
        needs: 'read',
        summary: 'Each change of an update of the program, as it happens.',
        answers: {
          200: {
            media: ['text/event-stream'],
            about: 'Server-Sent Events.',
            events: { status: updateStatusView },
          },
        },
        refusals: STREAM_REFUSALS,
      },
      async (_given, request, reply) => {
        const { change, view } = await selfUpdate.status();
        // In the same turn as the answer, so that no change is lost in between.
        const reader = streams.open(request, reply);
        readers.add(reader);
        reader.onClose(() => readers.delete(reader));
        reader.send(formatStatus(change, view));
      },
    ),
  ]);
  return stopListening;
}

function formatStatus(change: number, view: UpdateStatusView): Buffer {
  return Buffer.from(formatFrame('status', JSON.stringify(view), change));
}
