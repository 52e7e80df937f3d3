import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HAPPENINGS, type Happening, MANNERS, World } from './lives-fixture.ts';

const isLong = process.argv.some((word) => word.includes('.long.'));
const RUNS = isLong ? 150 : 14;

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('new' as const),
      manner: fc.constantFrom(...MANNERS),
      unit: fc.constantFrom(0 as const, 1 as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom(...HAPPENINGS), of: fc.nat(9) }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      { kind: 'close' } as const,
      { kind: 'crash' } as const,
      { kind: 'power-cut' } as const,
    ),
  },
);

test('over random lives no task leaves its way, none is lost, and no process is left', async (t) => {
  const seed = Number(process.env['LIVES_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`LIVES_SEED=${seed}`);
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(happenings, { minLength: 4, maxLength: 12 }), async (sequence) => {
      const world = new World(t);
      try {
        for (const happening of sequence) await world.happen(happening);
        await world.settle();
        world.check();
        ended += world.ids.length;
      } finally {
        world.end();
      }
    }),
    { seed, numRuns: RUNS, endOnFailure: true },
  );
  assert.ok(ended >= RUNS, `only ${ended} tasks lived`);
});
