import type { FastifyInstance } from 'fastify';
import { FailureError, fail } from '../../../shared/contract/outcome.ts';
import { type ListFeed, type ListPosition, parsePosition } from '../../tasks/live/list-feed.ts';
import type { SelfUpdate } from '../../updates/self-update.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import type { EventStreams } from '../event-streams.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';

type Parts = {
  readonly selfUpdate: Pick<SelfUpdate, 'status'>;
  readonly feed: ListFeed;
  readonly streams: EventStreams;
  readonly gate: AdminGate;
};

const URL = '/sse/events';

/**
 * `GET /sse/events`: Server-Sent Events for admins, for everything that shows lists and numbers: `task`, `badges`, `events`,
 * `self-update`, and `reset` to one who comes again too late.
 */
export function registerListStream(app: FastifyInstance, parts: Parts): void {
  const { selfUpdate, feed, streams, gate } = parts;
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, () => 'events-sse');
    scope.get(URL, async (request, reply) => {
      const after = readLastPosition(request.headers['last-event-id']);
      const { view } = await selfUpdate.status();
      feed.join(after, view, streams.open(request, reply));
    });
    refuseOtherMethods(scope, URL, 'GET', 'events-sse');
    done();
  });
}

function readLastPosition(header: string | string[] | undefined): ListPosition | undefined {
  if (header === undefined) return undefined;
  const position = parsePosition(String(header));
  if (position) return position;
  throw new FailureError(fail('REQUEST_INVALID', 'Last-Event-ID is not of this stream.').failure);
}
