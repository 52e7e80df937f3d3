import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FailureError, fail } from '../../../shared/contract/outcome.ts';
import type { UpdateStatusView } from '../../api/self-update-views.ts';
import type { SelfUpdate } from '../../updates/self-update.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';

/** What the stream works with. */
export type StreamParts = {
  readonly selfUpdate: Pick<SelfUpdate, 'status' | 'onStatus'>;
  readonly gate: AdminGate;
  readonly heartbeatMs?: number;
};

/** What is open of it. */
export type UpdateStream = {
  /** Ends every stream and takes no more: a stop does not wait for those who only listen. */
  close(): void;
};

const URL = '/sse/self-update';
/** Proxies close what is silent for a minute, some earlier. */
const HEARTBEAT_MS = 15_000;
const MAX_LISTENERS = 100;
/** A reader that lags so far behind does not read; it asks again when it does. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** How soon a client that was cut off comes again. */
const RETRY_MS = 2_000;

/**
 * `GET /sse/self-update`: Server-Sent Events for admins, one `status` at once and one for each change, states of an
 * update and bytes of a download alike. The id of an event is the number of its change.
 */
export function registerSelfUpdateStream(app: FastifyInstance, parts: StreamParts): UpdateStream {
  const { selfUpdate, gate, heartbeatMs = HEARTBEAT_MS } = parts;
  const listeners = new Set<ServerResponse>();
  let isClosed = false;
  const tellAll = (text: string) => {
    for (const listener of listeners) write(listener, text);
  };
  const stopListening = selfUpdate.onStatus((change, view) => tellAll(formatEvent(change, view)));
  const heartbeat = setInterval(() => tellAll(': still here\n\n'), heartbeatMs);
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, () => 'self-update-stream');
    scope.get(URL, async (request, reply) => {
      const { change, view } = await selfUpdate.status();
      // In the same turn as the answer, so that no change is lost in between.
      if (isClosed) throw new FailureError(fail('MAINTENANCE', 'The service stops.').failure);
      if (listeners.size >= MAX_LISTENERS) {
        const { failure } = fail('TOO_MANY_LISTENERS', `There are ${listeners.size}.`);
        throw new FailureError(failure);
      }
      open(request, reply, listeners);
      write(reply.raw, `retry: ${RETRY_MS}\n${formatEvent(change, view)}`);
    });
    refuseOtherMethods(scope, URL, 'GET', 'self-update-stream');
    done();
  });
  return {
    close() {
      isClosed = true;
      clearInterval(heartbeat);
      stopListening();
      for (const listener of listeners) listener.end();
    },
  };
}

/** Takes the response out of the hands of the framework, which would wait for its end. */
function open(request: FastifyRequest, reply: FastifyReply, listeners: Set<ServerResponse>): void {
  reply.hijack();
  const { raw } = reply;
  // It has gone while we looked.
  if (raw.destroyed) return;
  listeners.add(raw);
  raw.once('close', () => listeners.delete(raw));
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Not to be gathered by a proxy (nginx) until there is enough of it.
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'x-request-id': request.id,
    // Nothing follows on this connection.
    connection: 'close',
  });
  raw.flushHeaders();
}

function write(listener: ServerResponse, text: string): void {
  listener.write(text);
  if (listener.writableLength > MAX_BUFFERED_BYTES) listener.destroy();
}

/** JSON has no line ends of its own, so one line of data is enough. */
function formatEvent(change: number, view: UpdateStatusView): string {
  return `id: ${change}\nevent: status\ndata: ${JSON.stringify(view)}\n\n`;
}
