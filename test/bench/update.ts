/**
 * How long an update keeps a host waiting when things go wrong, and what the supervisor costs while nothing happens:
 * medians of several runs of real program files, each beside what is to be reached. Exit code 0: all is reached, 1:
 * something is missed or could not be measured.
 *   node test/bench/update.ts [--runs N]
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from './median.ts';
import { measureIdleSupervisor } from './update-memory.ts';
import {
  measureCrashAtStart,
  measureHang,
  measureKill,
  measurePlainUpdate,
  measureRestore,
} from './update-stories.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } });
const runs = Number(values.runs);

type Figure = {
  readonly what: string;
  readonly unit: 'ms' | 'MB';
  /** At most this; undefined: for comparison only. */
  readonly toReach?: number;
  readonly measure: () => Promise<number>;
};

/** How long a hanging version may take to become ready in this bench. */
const DEADLINE_MS = 2_000;

const FIGURES: readonly Figure[] = [
  {
    what: 'plain start: launcher to the first good answer (baseline)',
    unit: 'ms',
    measure: () => measureKill('none'),
  },
  {
    what: 'kill -9 of supervisor and worker, serving again',
    unit: 'ms',
    toReach: 1_000,
    measure: () => measureKill('at rest'),
  },
  {
    what: 'the same in the middle of a trial, serving again',
    unit: 'ms',
    toReach: 1_000,
    measure: () => measureKill('in trial'),
  },
  {
    what: 'gap without a worker in a good update',
    unit: 'ms',
    measure: measurePlainUpdate,
  },
  {
    what: 'new version crashes at its start: exchange to the old one serving',
    unit: 'ms',
    toReach: 5_000,
    measure: measureCrashAtStart,
  },
  {
    what: `new version hangs (deadline ${DEADLINE_MS} ms): exchange to the old one serving`,
    unit: 'ms',
    toReach: DEADLINE_MS + 3_000,
    measure: () => measureHang(DEADLINE_MS),
  },
  {
    what: 'going back with a database of 100 MB: decision to the old one serving',
    unit: 'ms',
    toReach: 3_000,
    measure: measureRestore,
  },
  {
    what: 'anonymous memory of the supervisor at rest',
    unit: 'MB',
    toReach: 14,
    measure: measureIdleSupervisor,
  },
];

execFileSync(process.execPath, [join(import.meta.dirname, '../../scripts/build.ts')]);
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(2)}, Node ${process.version}, ${runs} runs each`,
);
let isReached = true;
for (const { what, unit, toReach, measure } of FIGURES) {
  const measured: number[] = [];
  for (let run = 0; run < runs; run++) measured.push(await measure());
  const middle = median(measured);
  const digits = unit === 'MB' ? 1 : 0;
  const range = `${Math.min(...measured).toFixed(digits)}-${Math.max(...measured).toFixed(digits)}`;
  const bar = toReach === undefined ? '' : `  (to reach <= ${toReach})`;
  const isMissed = toReach !== undefined && middle > toReach;
  isReached &&= !isMissed;
  console.log(
    `${middle.toFixed(digits).padStart(7)} ${unit}  ${range.padStart(13)}  ${what}${bar}${isMissed ? '  MISSED' : ''}`,
  );
}
process.exitCode = isReached ? 0 : 1;
