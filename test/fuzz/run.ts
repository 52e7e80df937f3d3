/**
 * Sends what nobody sends: to every reader of hooks, and to every route of a running worker.
 *   npm run fuzz -- [--seconds 600] [--seed NUMBER] [--only sources|routes]
 * A fifth of the time goes to the readers. What breaks something is made as small as it can be, and kept in test/fuzz/seeds, where
 * the normal tests find it; then the exit code is 1.
 */
import { parseArgs } from 'node:util';
import { fuzzRoutes, fuzzSources, type Report } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
const isWanted = (name: string) => values.only === undefined || values.only === name;
const share = (part: number) => (values.only === undefined ? part : 1) * seconds * 1_000;

function tell(name: string, { runs, notes, kept, error }: Report): void {
  console.log(`${name}: ${runs} inputs, ${notes}`);
  if (error === undefined) return;
  console.log(`${error}\nkept as ${kept ?? 'nothing'}`);
  process.exitCode = 1;
}

console.log(`seed ${seed}, ${seconds} s`);
if (isWanted('sources')) tell('readers of hooks', fuzzSources({ seed, limitMs: share(0.2) }));
if (isWanted('routes')) tell('routes', await fuzzRoutes({ seed, limitMs: share(0.8) }));
