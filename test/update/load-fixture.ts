import assert from 'node:assert/strict';
import { recordedDeliveries, startClients } from '../helpers/clients.ts';
import { Installation, type Service, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import type { ReleaseOptions } from '../helpers/release.ts';
import { until } from '../helpers/until.ts';

/** Deliveries that each worker and each update serves, so that none is idle. */
const POSTS_EACH = 25;

/** A service that clients post to all the while. */
export type Load = AsyncDisposable & {
  readonly pid: number | undefined;
  readonly acknowledged: number;
  /** What went wrong for clients so far: codes and how often. */
  errors(): readonly (readonly [string, number])[];
  /** The longest that any request took. */
  longestMs(): number;
  /** Offers a release, installs it, and looks how that ended. */
  update(release: Omit<ReleaseOptions, 'folder'>, outcome: string): Promise<void>;
  /** Replaces the worker so many times. */
  swap(times: number): Promise<void>;
  /** Stops clients and service. */
  settle(): Promise<void>;
  /** Acknowledged deliveries that are in the database not exactly once. */
  wrong(): readonly string[];
};

/** Starts a service through the launcher, and clients, half of them over connections that stay open. */
export async function startLoad(clients: number): Promise<Load> {
  const installation = await Installation.make({
    // Fifty reports of each run say nothing that one does not.
    environment: { NODE_V8_COVERAGE: '' },
  });
  const service = installation.start();
  await service.ready();
  const { tally, stop } = startClients(service, clients);
  let generation = 1;
  const served = () => {
    const enough = tally.acknowledged.length + POSTS_EACH;
    return until(
      'the worker serves',
      UPDATE_PATIENCE_MS,
      () => tally.acknowledged.length >= enough,
    );
  };
  return {
    get pid() {
      return service.child.pid;
    },
    get acknowledged() {
      return tally.acknowledged.length;
    },
    errors: () => [...tally.errors],
    longestMs: () => tally.longestMs,
    async update(release, outcome) {
      generation++;
      await installation.offer({ generation, ...release });
      const ended = await installation.update({ force: true, tag: `v${release.version}` });
      assert.equal(ended.outcome, outcome, JSON.stringify(ended));
      await served();
    },
    async swap(times) {
      for (let count = 0; count < times; count++) {
        await swapOnce(service);
        await served();
      }
    },
    async settle() {
      await stop();
      await service.stop();
    },
    wrong() {
      const recorded = recordedDeliveries(installation.paths.stateDir);
      return tally.acknowledged.filter((delivery) => recorded.get(delivery) !== 1);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await installation[Symbol.asyncDispose]();
    },
  };
}

async function swapOnce(service: Service): Promise<void> {
  const before = service.lines.length;
  service.child.kill('SIGHUP');
  await service.ready(before);
}
