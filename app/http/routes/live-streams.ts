import type { FastifyInstance } from 'fastify';
import type { ErrorLog } from '../../../shared/log/error-log.ts';
import type { Store } from '../../db/store.ts';
import type { CommitSource } from '../../tasks/live/commit-source.ts';
import { ListFeed } from '../../tasks/live/list-feed.ts';
import { TaskLogFeed } from '../../tasks/live/task-log-feed.ts';
import type { SelfUpdate } from '../../updates/self-update.ts';
import type { AdminGate } from '../admin-gate.ts';
import { createEventStreams } from '../event-streams.ts';
import { registerListStream } from './list-stream.ts';
import { registerSelfUpdateStream } from './self-update-stream.ts';
import { registerTaskLogStream } from './task-log-stream.ts';

type Parts = {
  readonly store: Store;
  readonly commits: CommitSource;
  readonly selfUpdate: Pick<SelfUpdate, 'status' | 'onStatus'>;
  readonly gate: AdminGate;
  /** Tells whenever something is ill in another way, or well again. */
  readonly health?: { onChange(listener: () => void): void };
  /** Tells whenever somebody may have ceased to be known. */
  readonly access?: { onChange(listener: () => void): () => void };
  readonly log: ErrorLog;
  /** How often one hears that it is still connected, and how many there may be; for tests. */
  readonly limits?: { readonly heartbeatMs?: number; readonly maxStreams?: number };
};

/** Everything under `/sse`. Gives what ends all that is open of it and lets no more in. */
export function registerLiveStreams(app: FastifyInstance, parts: Parts): () => void {
  const { store, commits, selfUpdate, gate, log } = parts;
  const streams = createEventStreams(parts.limits);
  const onError = (error: unknown) => log.error({ err: error }, 'watching the database failed');
  const logs = new TaskLogFeed(store, commits, onError);
  const lists = new ListFeed(store, commits, onError);
  registerTaskLogStream(app, { store, feed: logs, streams, gate });
  registerListStream(app, { selfUpdate, feed: lists, streams, gate });
  const stopListening = registerSelfUpdateStream(app, { selfUpdate, streams, gate });
  parts.health?.onChange(() => lists.tellAttention());
  const stopChecking = parts.access?.onChange(() => streams.recheck());
  const stopTelling = selfUpdate.onStatus((_change, view) => lists.tellUpdate(view));
  return () => {
    stopListening();
    stopTelling();
    stopChecking?.();
    streams.close();
    logs.close();
    lists.close();
  };
}
