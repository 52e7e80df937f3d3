import { join } from 'node:path';
import type { Children } from './children.ts';
import type { Delivery } from './deliveries.ts';

/** What one round of wrk saw. */
export type Round = {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

export const CONNECTIONS = 32;
const SCRIPT = join(import.meta.dirname, 'deliveries.lua');
/** Above the time of any answer that we would call one. */
const ANSWER_WITHIN_S = 10;
const MARGIN_MS = 30_000;

let runs = 0;

/** Loads a server for some seconds; throws unless every answer was 2xx. */
export async function load(
  children: Children,
  url: string,
  delivery: Delivery,
  seconds: number,
): Promise<Round> {
  const run = (++runs).toString(16).padStart(8, '0');
  const printed = await children.run(
    [
      'wrk',
      '--threads=1',
      `--connections=${CONNECTIONS}`,
      `--duration=${seconds}s`,
      `--timeout=${ANSWER_WITHIN_S}s`,
      `--script=${SCRIPT}`,
      url,
      '--',
      delivery.file,
      delivery.signature,
      run,
    ],
    seconds * 1000 + MARGIN_MS,
  );
  const result = JSON.parse(/^RESULT (.*)$/m.exec(printed)?.[1] ?? 'null');
  if (result === null || result.refused > 0 || result.broken > 0 || result.requests === 0) {
    throw new Error(`The run is invalid, not every answer was 2xx:\n${printed}`);
  }
  return {
    requests: result.requests,
    perSecond: (result.requests * 1e6) / result.durationUs,
    p50Ms: result.p50Us / 1000,
    p99Ms: result.p99Us / 1000,
  };
}
