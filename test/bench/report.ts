import type { Round } from './load.ts';
import { median } from './median.ts';

/** The rounds of each server with one body. */
export type Measurement = {
  readonly title: string;
  readonly rounds: Readonly<Record<ServerName, readonly Round[]>>;
};

/** `webhook` answers when its command has run, as an acknowledgement should mean; `webhook-early` before it begins. */
export type ServerName = 'ours' | 'webhook' | 'bare' | 'webhook-early';
export const SERVER_NAMES: readonly ServerName[] = ['ours', 'webhook', 'bare', 'webhook-early'];

/** What is to be reached. */
const TO_WEBHOOK = 2.5;
const P99_TO_WEBHOOK = 0.33;
const TO_BARE = 0.5;
const IDLE_MB = 60;

/** Prints a table of medians and what is to be reached; false when something is missed. */
export function reportMeasurement({ title, rounds }: Measurement): boolean {
  const rows = SERVER_NAMES.map((name) => ({ name, ...summarize(rounds[name]) }));
  const [ours, webhook, bare] = rows;
  if (!ours || !webhook || !bare) throw new Error('A server was not measured.');
  console.log(`\n${title}`);
  printRow(['server', 'requests/s', 'min-max', 'p50 ms', 'p99 ms', 'ratio to ours']);
  for (const { name, perSecond, min, max, p50Ms, p99Ms } of rows) {
    const range = `${min.toFixed(0)}-${max.toFixed(0)}`;
    const ratio = (perSecond / ours.perSecond).toFixed(2);
    printRow([name, perSecond.toFixed(0), range, p50Ms.toFixed(2), p99Ms.toFixed(2), ratio]);
  }
  const toWebhook = ours.perSecond / webhook.perSecond;
  const p99 = ours.p99Ms / webhook.p99Ms;
  const toBare = ours.perSecond / bare.perSecond;
  console.log(
    `webhook answers when its command has run; webhook-early before, and keeps what it promised in memory only`,
  );
  console.log(`ratio to webhook: ${toWebhook.toFixed(2)} (to reach >= ${TO_WEBHOOK})`);
  console.log(`p99 relative to webhook: ${p99.toFixed(2)} (to reach <= ${P99_TO_WEBHOOK})`);
  console.log(`ratio to bare: ${toBare.toFixed(2)} (to reach >= ${TO_BARE})`);
  return toWebhook >= TO_WEBHOOK && p99 <= P99_TO_WEBHOOK && toBare >= TO_BARE;
}

/** Prints the idle memory of supervisor and worker, in bytes; false when it is more than is to be reached. */
export function reportMemory(supervisor: number, worker: number): boolean {
  const [a, b, sum] = [supervisor, worker, supervisor + worker].map((bytes) => bytes / 1e6);
  console.log(
    `\nidle memory (RssAnon): supervisor ${a?.toFixed(1)} MB, worker ${b?.toFixed(1)} MB`,
  );
  console.log(`together: ${sum?.toFixed(1)} MB (to reach <= ${IDLE_MB} MB)`);
  return supervisor + worker <= IDLE_MB * 1e6;
}

function summarize(rounds: readonly Round[]) {
  const rates = rounds.map(({ perSecond }) => perSecond);
  return {
    perSecond: median(rates),
    min: Math.min(...rates),
    max: Math.max(...rates),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
  };
}

function printRow(cells: readonly string[]): void {
  console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(14) : cell.padStart(14))).join(''));
}
