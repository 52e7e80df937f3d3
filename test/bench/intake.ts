/**
 * Durable acknowledgements of webhooks per second and their latency, beside Debian's `webhook` and beside the least
 * that does the same in Node; then the memory at rest. Exit code 0: everything that is to be reached is reached, 1:
 * something is missed or the run is invalid, 2: wrk or webhook is missing.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { statePaths } from '../../shared/contract/state-paths.ts';
import { Children, waitUntilQuiet } from './children.ts';
import { type Delivery, writeDeliveries } from './deliveries.ts';
import { measureIdleMemory } from './idle-memory.ts';
import { CONNECTIONS, load, type Round } from './load.ts';
import { reportMeasurement, reportMemory, SERVER_NAMES, type ServerName } from './report.ts';
import { type BenchServer, startBare, startOurs, startWebhook } from './servers.ts';

const ROOT = join(import.meta.dirname, '../..');
const WARM_UP_S = 3;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const missing = ['wrk', 'webhook'].filter((program) => spawnSync(program, ['-version']).error);
if (missing.length > 0) {
  console.error(`Missing: ${missing.join(', ')}. Install with: apt-get install wrk webhook`);
  process.exit(2);
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopping.abort(new Error(`Ended by ${signal}.`)));
}
const folder = mkdtempSync(join(chooseBase(), 'podup-bench-'));
const children = new Children(stopping.signal);
try {
  await children.run([process.execPath, join(ROOT, 'scripts/build.ts')], 60_000);
  describeMachine();
  const deliveries = writeDeliveries(folder);
  const isFast = await measureIntake(deliveries);
  const { supervisor, worker } = await measureIdleMemory(
    children,
    join(folder, 'idle'),
    deliveries,
    stopping.signal,
  );
  const isSmall = reportMemory(supervisor, worker);
  process.exitCode = isFast && isSmall ? 0 : 1;
} catch (error) {
  console.error(stopping.signal.aborted ? stopping.signal.reason : error);
  process.exitCode = 1;
} finally {
  await children.endAll();
  rmSync(folder, { recursive: true, force: true });
}

/** The folder for temporary files where that is on the disk of this tree, else the tree itself. */
function chooseBase(): string {
  return statSync(tmpdir()).dev === statSync(ROOT).dev ? tmpdir() : ROOT;
}

function describeMachine(): void {
  const df = execFileSync('df', ['--output=fstype,source', folder], { encoding: 'utf8' });
  const disk = df.trim().split('\n').at(-1)?.split(/\s+/).join(' on ') ?? '';
  if (disk.startsWith('tmpfs')) throw new Error('A sync means nothing on tmpfs.');
  const version = execFileSync('webhook', ['-version'], { encoding: 'utf8' }).trim();
  console.log(
    `${availableParallelism()} x ${cpus()[0]?.model}, Node ${process.version}, ${version}`,
  );
  console.log(`state on ${disk}, ${CONNECTIONS} connections, ${rounds} rounds of ${seconds} s`);
  console.log(`load of the machine before: ${loadavg()[0]?.toFixed(1)}`);
}

type Servers = Readonly<Record<ServerName, BenchServer>>;

/** Loads the three servers with each body and checks what ours made of it; false when something is missed. */
async function measureIntake(deliveries: readonly Delivery[]): Promise<boolean> {
  const servers: Servers = {
    ours: await startOurs(children, join(folder, 'ours')),
    webhook: await startWebhook(children, join(folder, 'webhook'), { waits: true }),
    bare: await startBare(children, join(folder, 'bare')),
    'webhook-early': await startWebhook(children, join(folder, 'early'), { waits: false }),
  };
  let acknowledged = 0;
  let areReached = true;
  for (const delivery of deliveries) {
    const measured = await measureBody(servers, delivery);
    acknowledged += measured.acknowledged;
    const title = `${delivery.title} body, ${delivery.bytes} bytes`;
    areReached = reportMeasurement({ title, rounds: measured.rounds }) && areReached;
    const rest = (measured.longestRestMs / 1000).toFixed(1);
    console.log(`ours had everything in the database ${rest} s after a round`);
  }
  for (const name of ['webhook', 'bare', 'webhook-early'] as const)
    await children.end(servers[name].child);
  if (!(await children.end(servers.ours.child))) throw new Error('Ours did not stop cleanly.');
  return verifyDurability(acknowledged) && areReached;
}

/** Loads the servers in turn, again and again, so that whatever else the machine does meets them alike. */
async function measureBody(servers: Servers, delivery: Delivery) {
  const measured: Record<ServerName, Round[]> = {
    ours: [],
    webhook: [],
    bare: [],
    'webhook-early': [],
  };
  let acknowledged = 0;
  let longestRestMs = 0;
  for (let at = 0; at <= rounds; at++) {
    const isWarmUp = at === 0;
    for (const name of SERVER_NAMES) {
      const { url, pids } = servers[name];
      const round = await load(children, url, delivery, isWarmUp ? WARM_UP_S : seconds);
      const restMs = await waitUntilQuiet(pids, stopping.signal);
      if (!isWarmUp) measured[name].push(round);
      if (name !== 'ours') continue;
      acknowledged += round.requests;
      longestRestMs = Math.max(longestRestMs, restMs);
    }
  }
  return { rounds: measured, acknowledged, longestRestMs };
}

/** Every 202 must be a delivery in the database; wrk may leave some unread that were accepted. */
function verifyDurability(acknowledged: number): boolean {
  const path = statePaths(join(folder, 'ours/state')).database;
  const database = new SqliteDatabase(path, { readonly: true });
  const stored = database
    .prepare<[], number>(
      "SELECT count(DISTINCT delivery) FROM deliveries WHERE verdict = 'accepted' AND task_id IS NOT NULL",
    )
    .pluck()
    .get();
  const tasks = database
    .prepare<[], { status: string; count: number }>(
      'SELECT status, count(*) AS count FROM tasks GROUP BY status',
    )
    .all()
    .map(({ status, count }) => `${count} ${status}`);
  database.close();
  const isDurable = stored !== undefined && stored >= acknowledged;
  console.log(`\n${acknowledged} answers of 202, ${stored} accepted deliveries in the database`);
  console.log(`durable: ${isDurable ? 'yes' : 'NO'}; tasks: ${tasks.join(', ')}`);
  return isDurable;
}
