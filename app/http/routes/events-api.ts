import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { eventsQuery, exportQuery } from '../../api/queries.ts';
import { eventPageView } from '../../api/views.ts';
import type { Store } from '../../db/store.ts';
import type { EventWriter } from '../../events/event-writer.ts';
import { exportEvents } from '../../events/export-events.ts';
import { listEvents, toFilter } from '../../events/list-events.ts';
import type { AdminGate } from '../admin-gate.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly store: Store;
  readonly events: Pick<EventWriter, 'settle'>;
  readonly gate: AdminGate;
};

/** Each takes its turns between those of other requests. */
const MAX_EXPORTS = 2;

const TYPES = { jsonl: 'application/x-ndjson; charset=utf-8', csv: 'text/csv; charset=utf-8' };

/** `GET /api/events` and `GET /api/events/export`, for admins only. */
export function registerEventsApi(app: FastifyInstance, parts: Parts): void {
  const { store, events, gate } = parts;
  const running = new Set<Readable>();
  serveRoutes(app, { action: 'events-api', gate }, [
    route(
      {
        method: 'GET',
        url: '/api/events',
        needs: 'read',
        summary: 'Everything that happened, newest first.',
        query: eventsQuery,
        answers: { 200: eventPageView },
      },
      async ({ query }) => {
        // What has happened is what can be read, also when it waits for its batch.
        await events.settle();
        return listEvents(store, query);
      },
    ),
    route(
      {
        method: 'GET',
        url: '/api/events/export',
        needs: 'read',
        summary: 'The same as JSON lines or CSV, as a file.',
        query: exportQuery,
        answers: {
          200: { media: ['application/x-ndjson', 'text/csv'], about: 'One event a line.' },
        },
        refusals: ['TOO_MANY_EXPORTS'],
      },
      async ({ query: { format, ...filter } }, request, reply) => {
        await events.settle();
        return sendExport(running, request, reply, {
          format,
          text: exportEvents(store, toFilter(filter), format),
        });
      },
    ),
  ]);
}

function sendExport(
  running: Set<Readable>,
  request: FastifyRequest,
  reply: FastifyReply,
  { format, text }: { readonly format: keyof typeof TYPES; readonly text: Iterable<string> },
): FastifyReply {
  request.note.meta = { export: format };
  if (running.size >= MAX_EXPORTS) {
    const detail = `There are ${running.size}.`;
    return sendFailure(request, reply, { code: 'TOO_MANY_EXPORTS', detail });
  }
  const stream = Readable.from(inTurns(text), { objectMode: false });
  running.add(stream);
  stream.once('close', () => running.delete(stream));
  return reply
    .type(TYPES[format])
    .header('content-disposition', `attachment; filename="events.${format}"`)
    .send(stream);
}

/** Makes a part only when the one before is on its way, and lets other requests have their turn in between. */
async function* inTurns(parts: Iterable<string>): AsyncGenerator<string> {
  for (const part of parts) {
    if (part !== '') yield part;
    await setImmediate();
  }
}
