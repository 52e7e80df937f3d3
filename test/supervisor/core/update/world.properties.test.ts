import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isBlamed } from '../../../../supervisor/core/update/outcome.ts';
import { NEW } from './fixture.ts';
import { type Quality, World } from './world.ts';

const QUALITIES: readonly Quality[] = [
  'good',
  'crashes',
  'hangs',
  'stranger',
  'fails-probes',
  'fails-check',
];

/** What may come over a host at any moment, and is nobody's fault. */
const INTERRUPTIONS = {
  crash: (world: World) => world.restart(),
  reboot: (world: World) => world.restart(true),
  stop: (world: World) => world.stop(),
  run: (world: World) => world.ask({}),
  cancel: (world: World) => world.ask({ command: 'cancel' }),
  status: (world: World) => world.ask({ command: 'status' }),
  hold: (world: World) => world.ask({ command: 'hold' }),
  resume: (world: World) => world.ask({ command: 'resume' }),
  reload: (world: World) => world.update({ kind: 'reload' }),
} as const;

/** What may go wrong on a host. */
const FAULTS = {
  'an act fails': (world: World) => world.failAct(),
  'a clock is fast': (world: World) => world.passTime(),
  'the worker is killed': (world: World) => world.killWorker(),
  'the disk refuses a record': (world: World) => {
    world.persistFailures = 1;
  },
} as const;

type Happening = number | keyof typeof INTERRUPTIONS | keyof typeof FAULTS;

/** Mostly things that go on; a number chooses among them. */
const anyWalk = (others: readonly Happening[], maxOthers: number) =>
  fc
    .tuple(
      fc.array(fc.nat(2), { minLength: 1, maxLength: 60 }),
      fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...others)), { maxLength: maxOthers }),
    )
    .map(([moves, between]) => {
      const walk: Happening[] = [...moves];
      for (const [at, what] of between) walk.splice(at, 0, what);
      return walk;
    });

const anyHost = fc.record({ quality: fc.constantFrom(...QUALITIES), isOneWay: fc.boolean() });
type Host = { readonly quality: Quality; readonly isOneWay: boolean };

function live({ quality, isOneWay }: Host, walk: readonly Happening[]): World {
  const world = new World(quality, isOneWay);
  world.settle();
  world.ask({});
  for (const happening of walk) {
    if (typeof happening === 'number') {
      const moves = world.moves();
      moves[happening % Math.max(moves.length, 1)]?.();
    } else {
      ({ ...INTERRUPTIONS, ...FAULTS })[happening](world);
    }
    world.check();
  }
  world.settle();
  return world;
}

describe('a host on which an update is made', () => {
  for (const isOneWay of [false, true]) {
    for (const quality of QUALITIES) {
      const isGood = quality === 'good';
      test(`${isGood ? 'commits' : 'goes back from'} a program that ${isGood ? 'is good' : quality}, ${isOneWay ? 'with' : 'without'} its database`, () => {
        const { disk, worker } = live({ quality, isOneWay }, []);
        assert.deepEqual(
          disk.history.map(({ outcome }) => outcome),
          [isGood ? 'committed' : 'rolled-back'],
        );
        const program = isGood ? 'new' : 'old';
        assert.deepEqual([disk.target, worker?.program, disk.record], [program, program, null]);
        assert.equal(disk.memory.quarantine.entries.length, isGood ? 0 : 1);
      });
    }
  }

  test('ends with the old or the new program, however often it is interrupted', () => {
    const names = Object.keys(INTERRUPTIONS) as (keyof typeof INTERRUPTIONS)[];
    fc.assert(
      fc.property(anyHost, anyWalk(names, 12), (host, walk) => {
        const { disk, worker } = live(host, walk);
        assert.equal(disk.record, null);
        assert.equal(worker?.program, disk.target);
        // Which one it is says the last update that did not end before the exchange.
        const last = disk.history.findLast(({ outcome }) =>
          ['committed', 'rolled-back'].includes(outcome),
        );
        assert.equal(disk.target, last?.outcome === 'committed' ? 'new' : 'old');
        if (host.quality !== 'good') assert.equal(disk.target, 'old');
      }),
      { numRuns: 1_500 },
    );
  });

  test('ends with one of both or holds, whatever goes wrong', () => {
    const names = [...Object.keys(INTERRUPTIONS), ...Object.keys(FAULTS)] as Happening[];
    fc.assert(
      fc.property(anyHost, anyWalk(names, 12), (host, walk) => {
        const { disk, worker, loop } = live(host, walk);
        const { work } = loop.state().update;
        // The disk may have refused the record of the hold; the next start then finds out anew.
        if (disk.record) assert.ok(work.kind === 'open' && work.record.state === 'held');
        else assert.equal(worker?.program, disk.target);
      }),
      { numRuns: 1_500 },
    );
  });

  test('keeps what was written while an update was held, where the next one fails, too', () => {
    const world = live({ quality: 'stranger', isOneWay: true }, [
      ...['resume', 0, 0, 0, 'the disk refuses a record', 0, 0, 0, 0, 'a clock is fast'],
      ...['the worker is killed', 'a clock is fast', 'run'],
    ] as Happening[]);
    assert.equal(world.disk.target, 'old');
  });

  test('does not take a program again that failed through its own fault', () => {
    const names = Object.keys(INTERRUPTIONS) as (keyof typeof INTERRUPTIONS)[];
    fc.assert(
      fc.property(anyHost, anyWalk(names, 6), (host, walk) => {
        const world = live(host, walk);
        const isBad = world.disk.memory.quarantine.entries.some(
          ({ digest }) => digest === NEW.digest,
        );
        if (!isBad) return;
        world.ask({ command: 'resume' });
        world.ask({ trigger: 'cron' });
        world.settle();
        assert.equal(world.disk.target, 'old');
        assert.equal(world.disk.history.at(-1)?.outcome, 'failed');
      }),
      { numRuns: 500 },
    );
  });

  test('knows a program to be bad before the update is forgotten', () => {
    const names = Object.keys(INTERRUPTIONS) as (keyof typeof INTERRUPTIONS)[];
    fc.assert(
      fc.property(anyHost, anyWalk(names, 6), (host, walk) => {
        const world = new World(host.quality, host.isOneWay);
        world.settle();
        world.ask({});
        let open = world.disk.record;
        const look = () => {
          const { record, memory } = world.disk;
          if (open?.state === 'rolled-back' && record === null && isBlamed(open)) {
            assert.ok(memory.quarantine.entries.some(({ txn }) => txn === open?.txn));
          }
          open = record;
        };
        for (const happening of walk) {
          if (typeof happening === 'number') world.moves()[happening % 2]?.();
          else INTERRUPTIONS[happening as keyof typeof INTERRUPTIONS](world);
          look();
        }
      }),
      { numRuns: 500 },
    );
  });
});
