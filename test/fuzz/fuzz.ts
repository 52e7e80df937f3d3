import assert from 'node:assert/strict';
import fc, { type RunDetails } from 'fast-check';
import { startVictim, type Victim } from './fuzz-routes.ts';
import { anySourceInput, runSourceInput } from './fuzz-sources.ts';
import { anyRequestInput, deliveriesTo, toRequest } from './request-input.ts';
import { keepSeed, type Seed } from './seeds.ts';

/** How long, or how often, and from which seed on. */
export type Extent = { readonly seed: number; readonly limitMs?: number; readonly runs?: number };

/** What came of it. */
export type Report = {
  readonly runs: number;
  readonly notes: string;
  /** Where the input that broke something is kept. */
  readonly kept?: string;
  readonly error?: string;
};

const LANES = 4;
const UNLIMITED = 2 ** 31 - 1;

function paramsOf({ seed, limitMs, runs = UNLIMITED }: Extent, lane = 0) {
  return {
    seed: seed + lane,
    numRuns: runs,
    ...(limitMs !== undefined && { interruptAfterTimeLimit: limitMs }),
  };
}

/** Holds every source to its promises. */
export function fuzzSources(extent: Extent): Report {
  const began = performance.now();
  const details = fc.check(fc.property(anySourceInput, runSourceInput), paramsOf(extent));
  const perSecond = Math.round(details.numRuns / ((performance.now() - began) / 1_000));
  return report([details], `${perSecond} a second`, (input) => ({ kind: 'source', input }));
}

/** Sends requests to a worker, several at a time, and looks afterwards whether it still does what it is there for. */
export async function fuzzRoutes(extent: Extent): Promise<Report> {
  const victim = await startVictim();
  const { serving } = victim;
  const answers = new Map<string, number>();
  const property = fc.asyncProperty(anyRequestInput(serving), async (input) => {
    const status = String((await victim.send(toRequest(input, serving))) ?? 'closed');
    answers.set(status, (answers.get(status) ?? 0) + 1);
  });
  const lanes = Array.from({ length: LANES }, (_, lane) =>
    fc.check(property, paramsOf(extent, lane)),
  );
  const details = await Promise.all(lanes);
  const told = [...answers].sort().map(([status, count]) => `${status}: ${count}`);
  const broken = details.some(({ failed }) => failed);
  const after = broken ? undefined : await complain(() => assertServing(victim));
  const end = broken ? '' : `, at most ${Math.round(victim.peakBytes() / 1e6)} MB`;
  const stopped = await complain(() => victim.stop());
  const ended = after ?? stopped;
  const result = report(details, `${told.join(', ')}${end}`, (input) => ({
    kind: 'request',
    input,
  }));
  return ended === undefined || result.error !== undefined ? result : { ...result, error: ended };
}

/** What is wrong, in the place of throwing it. */
async function complain(act: () => Promise<void>): Promise<string | undefined> {
  return act().then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

function report<T>(
  details: readonly RunDetails<[T]>[],
  notes: string,
  seedOf: (input: T) => Seed,
): Report {
  const runs = details.reduce((sum, { numRuns }) => sum + numRuns, 0);
  const [failed] = details.filter((each) => each.failed);
  if (!failed) return { runs, notes };
  const [input] = failed.counterexample ?? [];
  const error = String(failed.errorInstance ?? 'nothing was run');
  return { runs, notes, error, ...(input !== undefined && { kept: keepSeed(seedOf(input)) }) };
}

/** Calls that have to be answered as if nothing had been: of each kind, and a push to each hook. */
async function assertServing({ serving, send }: Victim): Promise<void> {
  const untouched = { method: undefined, path: undefined, query: [], headers: [], edits: [] };
  const asked = { ...untouched, bytes: undefined, length: 'right', isKnown: true } as const;
  const deliveries = deliveriesTo(serving.hooks);
  const good = ['/health/self', '/api/tasks', '/github-package-update/web'];
  const paths = [...good, ...serving.hooks.map(({ name }) => `/hooks/${name}`)];
  for (const path of paths) {
    const call = [...serving.calls, ...deliveries].find((one) => one.path === path);
    assert.ok(call, path);
    const status = await send(toRequest({ ...asked, call }, serving));
    assert.ok(status === 200 || status === 202, `${path}: ${status}`);
  }
}
