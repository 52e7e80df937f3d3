import type { Behaviour } from '../helpers/release-behaviours.ts';
import { pick, type Random } from './random.ts';

/** What a release does, and whether it may be kept. */
const RELEASES = [
  { what: 'good', isGood: true, break: [] },
  { what: 'good but deaf to SIGTERM', isGood: true, break: ['ignore-sigterm'] },
  { what: 'one that crashes at its start', isGood: false, break: ['crash-at-start'] },
  { what: 'one that crashes when it serves', isGood: false, break: ['crash-after-ms:150'] },
  { what: 'one that is killed when it serves', isGood: false, break: ['killed-after-ms:40'] },
  { what: 'one that hangs', isGood: false, break: ['hang'] },
  { what: 'one that refuses its configuration', isGood: false, break: ['exit-78'] },
  { what: 'one that exits with 10', isGood: false, break: ['exit-10'] },
  { what: 'one under a false name', isGood: false, break: ['wrong-version'] },
  { what: 'one with a broken supervisor', isGood: false, break: ['supervisor-throws'] },
  { what: 'one that fails its self-check', isGood: false, break: ['self-check-fails'] },
] as const satisfies readonly {
  readonly what: string;
  readonly isGood: boolean;
  readonly break: readonly Behaviour[];
}[];

/** What it does to the database. */
const MIGRATIONS = [undefined, 'may-run', 'must-not-run'] as const;

/** Who is killed. `helper`: whatever child works for the update, the stager first of all. */
const VICTIMS = ['supervisor', 'worker', 'supervisor and worker', 'helper'] as const;
export type Victim = (typeof VICTIMS)[number];

/** One update, and what is done to it. */
export type Cycle = {
  readonly what: string;
  readonly isGood: boolean;
  readonly break: readonly Behaviour[];
  readonly migration: (typeof MIGRATIONS)[number];
  readonly victim: Victim;
  /** When it is killed, as a part of how long such an update takes; a little more than 1 is after its end. */
  readonly at: number;
};

/** Good ones more often than each bad one: only they come to the hand-over. */
const GOOD_PART = 0.4;
const LATEST = 1.1;

/** What is done in a cycle, by its random numbers alone. */
export function chooseCycle(random: Random): Cycle {
  const release = random() < GOOD_PART ? RELEASES[0] : pick(random, RELEASES);
  return {
    ...release,
    migration: pick(random, MIGRATIONS),
    victim: pick(random, VICTIMS),
    at: random() * LATEST,
  };
}
