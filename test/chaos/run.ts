/**
 * Random updates of real programs, each with a process killed at a random moment, while webhooks come in. After each it
 * is looked whether one whole version serves and everything that was acknowledged is there. Ends by itself: exit code 0,
 * or 1 at the first thing that is not as it should be.
 *   npm run test:chaos -- [--cycles N] [--seed S] [--from CYCLE]
 * The seed decides all but the exact moment: repeated, a kill may hit the step beside the one that it hit before.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ChaosHost, type Told } from './chaos-host.ts';
import { type Cycle, chooseCycle } from './choose-cycle.ts';
import { createRandom } from './random.ts';

/** Updates that follow each other on one host. */
const CYCLES_A_HOST = 5;

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    from: { type: 'string', default: '1' },
  },
});
const seed = Number(values.seed);
// What a host has seen before is a part of what happens on it.
const first = Number(values.from) - ((Number(values.from) - 1) % CYCLES_A_HOST);
const last = Number(values.from) + Number(values.cycles) - 1;
console.log(`seed ${seed}, cycles ${first} to ${last}`);

/** How long an update of each kind takes when nobody is killed; measured when it is first needed. */
const lengths = new Map<string, number>();

async function measure(cycle: Cycle): Promise<number> {
  const kind = `${cycle.what}, ${cycle.migration}`;
  const known = lengths.get(kind);
  if (known !== undefined) return known;
  await using host = await ChaosHost.make();
  const { ms } = await host.run(cycle, undefined);
  await host.close();
  lengths.set(kind, ms);
  return ms;
}

function describe(cycle: Cycle, afterMs: number): string {
  const { what, migration, victim, at } = cycle;
  const database = migration ? ` with a migration (${migration})` : '';
  const when = `${Math.round(at * 100)} % (${(afterMs / 1000).toFixed(2)} s)`;
  return `${what}${database}, ${victim} killed at ${when}`;
}

function tell({ entry, ms, gapMs }: Told): string {
  const why = entry.failure ? ` (${entry.failure.code})` : '';
  const database = entry.databaseRestored ? ', database restored' : '';
  const times = `${(ms / 1000).toFixed(1)} s, longest without an acknowledgement so far`;
  return `${entry.outcome}${why}${database}; ${times} ${(gapMs / 1000).toFixed(1)} s`;
}

function giveUp(number: number, error: unknown, log: string): void {
  const file = join(tmpdir(), `podup-chaos-${seed}-${number}.log`);
  writeFileSync(file, log);
  console.log(`cycle ${number} FAILED: ${error instanceof Error ? error.stack : error}`);
  console.log(`the log of the service: ${file}`);
  console.log(`again: npm run test:chaos -- --seed ${seed} --from ${number} --cycles 1`);
  process.exitCode = 1;
}

/** The cycles from `from` on that are played on one host; false where one went wrong. */
async function playHost(from: number): Promise<boolean> {
  await using host = await ChaosHost.make();
  let number = from;
  try {
    for (; number <= Math.min(from + CYCLES_A_HOST - 1, last); number++) {
      const cycle = chooseCycle(createRandom(seed + number * 7919));
      const afterMs = cycle.at * (await measure(cycle));
      console.log(`cycle ${number}: ${describe(cycle, afterMs)}`);
      console.log(`  ${tell(await host.run(cycle, afterMs))}`);
    }
    await host.close();
    return true;
  } catch (error) {
    giveUp(number, error, host.log);
    return false;
  }
}

for (let from = first; from <= last; from += CYCLES_A_HOST) {
  if (!(await playHost(from))) break;
}
