import type { FastifyInstance } from 'fastify';
import type { UpdateStatusView } from '../../api/self-update-views.ts';
import { formatFrame, type LiveReader } from '../../tasks/live/live-reader.ts';
import type { SelfUpdate } from '../../updates/self-update.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import type { EventStreams } from '../event-streams.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';

/** What the stream works with. */
export type StreamParts = {
  readonly selfUpdate: Pick<SelfUpdate, 'status' | 'onStatus'>;
  readonly streams: EventStreams;
  readonly gate: AdminGate;
};

const URL = '/sse/self-update';

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
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, () => 'self-update-stream');
    scope.get(URL, async (request, reply) => {
      const { change, view } = await selfUpdate.status();
      // In the same turn as the answer, so that no change is lost in between.
      const reader = streams.open(request, reply);
      readers.add(reader);
      reader.onClose(() => readers.delete(reader));
      reader.send(formatStatus(change, view));
    });
    refuseOtherMethods(scope, URL, 'GET', 'self-update-stream');
    done();
  });
  return stopListening;
}

function formatStatus(change: number, view: UpdateStatusView): Buffer {
  return Buffer.from(formatFrame('status', JSON.stringify(view), change));
}
