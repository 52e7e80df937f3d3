import { Agent, request } from 'node:http';
import SqliteDatabase from 'better-sqlite3';
import { makeBody, makeHeaders } from './webhook.ts';

const BODY = makeBody('registry_package', {
  repository: 'ghcr.io/octo-org/hello',
  tag: 'latest',
  digest: `sha256:${'a'.repeat(64)}`,
});

/** What clients saw: ids of deliveries that were acknowledged, and what went wrong, by its code. */
export type Tally = {
  readonly acknowledged: string[];
  readonly errors: Map<string, number>;
  /** The longest that any request took, in milliseconds. */
  longestMs: number;
};

/** Where clients post to; asked before each request, for a service may be started anew. */
export type Target = { readonly address: string };

/** Posts one delivery for a unit; records what became of it. */
function postOnce(target: Target, agent: Agent | undefined, tally: Tally): Promise<void> {
  const headers = makeHeaders('registry_package', BODY);
  const note = (code: string) => tally.errors.set(code, (tally.errors.get(code) ?? 0) + 1);
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const end = () => {
      tally.longestMs = Math.max(tally.longestMs, performance.now() - startedAt);
      resolve();
    };
    const sent = request(
      `http://${target.address}/github-package-update/web`,
      { method: 'POST', headers, ...(agent ? { agent } : { agent: false }) },
      (answer) => {
        if (answer.statusCode === 202) tally.acknowledged.push(headers['x-github-delivery']);
        else note(`status ${answer.statusCode}`);
        answer.resume();
        answer.on('close', end);
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => {
      note(error.code ?? error.message);
      end();
    });
    sent.end(BODY);
  });
}

/** Clients that post without a pause until told to stop, half of them over connections that stay open. */
export function startClients(
  target: Target,
  count: number,
): { tally: Tally; stop: () => Promise<unknown> } {
  const tally: Tally = { acknowledged: [], errors: new Map(), longestMs: 0 };
  let isOver = false;
  const clients = Array.from({ length: count }, async (_, index) => {
    const agent = index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
    while (!isOver) await postOnce(target, agent, tally);
    agent?.destroy();
  });
  return {
    tally,
    stop: () => {
      isOver = true;
      return Promise.all(clients);
    },
  };
}

/** How often each delivery is in the database of a state directory. */
export function recordedDeliveries(stateDir: string): Map<string, number> {
  const database = new SqliteDatabase(`${stateDir}/data/pod-upgrade-trigger.db`);
  const rows = database.prepare<[], string>('SELECT delivery FROM deliveries').pluck().all();
  database.close();
  const counts = new Map<string, number>();
  for (const delivery of rows) counts.set(delivery, (counts.get(delivery) ?? 0) + 1);
  return counts;
}
