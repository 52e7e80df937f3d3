/**
 * What a thousand connections that say nothing, or next to nothing, cost those who have something to say: how long a signed
 * webhook waits for its 202, and what the worker holds. Whoever is cut off comes again at once. Exit code 0: reached, 1: missed.
 *   node test/bench/connections.ts [--connections N] [--seconds N]
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Product } from '../helpers/product.ts';
import { makeBody, makeHeaders } from '../helpers/webhook.ts';
import { LiveHeap } from './live-heap.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
  },
});
const wanted = Number(values.connections);
const seconds = Number(values.seconds);

/** What is to be reached. */
const ACK_MS = 500;
const GROWTH_MB = 8;

const HEAD = 'POST /github-package-update/web HTTP/1.1\r\nHost: x\r\n';
const BODY = `${HEAD}Content-Type: application/json\r\nX-Hub-Signature-256: sha256=${'0'.repeat(64)}\r\nContent-Length: 100000\r\n\r\n{`;

/** What an attacker says at first, and then each second. */
type Manner = {
  readonly name: string;
  readonly first: string;
  readonly drip: string;
  readonly addresses: 'one' | 'many';
};
const MANNERS: readonly Manner[] = [
  { name: 'silent, one address', first: '', drip: '', addresses: 'one' },
  { name: 'silent, many addresses', first: '', drip: '', addresses: 'many' },
  {
    name: 'kept, many addresses',
    first: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    drip: '',
    addresses: 'many',
  },
  { name: 'dripping heads, many', first: HEAD, drip: 'X-a: b\r\n', addresses: 'many' },
  { name: 'dripping bodies, one', first: BODY, drip: ' ', addresses: 'one' },
  { name: 'dripping bodies, many', first: BODY, drip: ' ', addresses: 'many' },
];

const body = makeBody('registry_package', {
  ...{ repository: 'ghcr.io/octo-org/web', tag: 'latest', digest: `sha256:${'0a'.repeat(32)}` },
});

await using product = await Product.start({
  PODUP_MANUAL_UNITS: 'web.service',
  PODUP_TASK_EXECUTOR: 'child',
  PODUP_LOG_LEVEL: 'info',
  NODE_OPTIONS: '--inspect-port=0',
});
const [host = '', port = ''] = product.address.split(':');
const { workerPid } = product;
const heap = await LiveHeap.open(workerPid, () => product.output);

console.log(
  `${wanted} connections, ${seconds} s each, ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}`,
);
const printRow = (cells: readonly string[]) =>
  console.log(cells.map((cell, at) => cell.padStart(at === 0 ? 26 : 11)).join(''));
printRow([
  '',
  'acks',
  'p50 ms',
  'p99 ms',
  'max ms',
  'open',
  'cut',
  'MB live',
  'MB at end',
  'RSS most',
  'RSS last',
]);

let isReached = true;
const calm = await attack(undefined);
for (const manner of MANNERS) await attack(manner);
const after = await attack(undefined);
isReached &&= after - calm < GROWTH_MB;
console.log(
  `each acknowledged within ${ACK_MS} ms, and at most ${GROWTH_MB} MB more live at the end of an attack than in it, and after all than before`,
);
console.log(isReached ? 'reached' : 'MISSED');
heap.close();
process.exitCode = isReached ? 0 : 1;

/** One row: without an attacker where there is none. What is live at its end, in MB. */
async function attack(manner: Manner | undefined): Promise<number> {
  const stop = manner && (await startAttacker(manner));
  const times: number[] = [];
  const resident: number[] = [];
  const listen = async (forSeconds: number) => {
    const until = performance.now() + forSeconds * 1000;
    while (performance.now() < until) {
      times.push(await acknowledge());
      resident.push(residentMb());
      await delay(100);
    }
    // What lies about until it is collected says nothing of what is kept.
    return heap.readMb();
  };
  // By then the attacker holds what it can; from then on only those count that were cut off and came again.
  const early = await listen(seconds / 3);
  const late = await listen((2 * seconds) / 3);
  const { cut = 0, open = 0 } = (await stop?.()) ?? {};
  times.sort((a, b) => a - b);
  const quantile = (part: number) => times[Math.floor((times.length - 1) * part)] ?? 0;
  isReached &&= quantile(1) < ACK_MS;
  isReached &&= late - early < GROWTH_MB;
  const number = (value: number) => value.toFixed(1);
  printRow([
    manner?.name ?? 'nobody else',
    ...[String(times.length), number(quantile(0.5)), number(quantile(0.99)), number(quantile(1))],
    ...[String(open), String(cut), number(early), number(late)],
    ...[number(Math.max(...resident)), number(resident.at(-1) ?? 0)],
  ]);
  return late;
}

/** In a process of its own, so that what it takes of a CPU is not taken for the time of an answer. */
async function startAttacker({ first, drip, addresses }: Manner) {
  const file = join(import.meta.dirname, 'connections-attacker.ts');
  const child = spawn(
    process.execPath,
    [file, host, port, String(wanted), addresses, first, drip],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async () => {
    child.kill('SIGTERM');
    const { value } = await lines.next();
    return JSON.parse(value ?? '{}') as { readonly open: number; readonly cut: number };
  };
}

/** Sends a signed delivery on a connection of its own; how long it took until its 202. */
function acknowledge(): Promise<number> {
  const begun = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  // Of no unit that is known: made durable like the rest, but no task runs beside what is measured.
  const path = '/github-package-update/nobody';
  const headers = makeHeaders('registry_package', body);
  request({ host, port: Number(port), path, method: 'POST', headers, agent: false }, (response) => {
    response.resume();
    if (response.statusCode === 202) resolve(performance.now() - begun);
    else reject(new Error(`answered with ${response.statusCode}`));
  })
    .on('error', reject)
    .end(body);
  return promise;
}

function residentMb(): number {
  const status = readFileSync(`/proc/${workerPid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
