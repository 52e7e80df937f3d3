import type { Failure } from './outcome.ts';
import {
  asObject,
  flag,
  list,
  nullable,
  oneOf,
  type ReadBy,
  shape,
  text,
  whole,
} from './read-shape.ts';
import { digestText, releaseIdentity } from './release.ts';
import { failureShape } from './update-request.ts';

const orderShape = shape({
  /** The program file; `.new` and `.partial` lie beside it. */
  target: text(4096),
  /** What runs now. */
  current: releaseIdentity,
  /** Only this tag; null: what pin and channel say. */
  tag: nullable(text(200)),
  dryRun: flag,
  force: flag,
  quarantine: list(digestText, 1000),
  generationFloor: nullable(whole()),
  /** A retained program that is to be taken instead of a release. */
  retained: nullable(shape({ file: text(4096), release: releaseIdentity })),
});

/** What the supervisor wants of `stage-release`; one JSON object on its standard input. */
export type StagerOrder = ReadBy<typeof orderShape>;

/** Reads an order; undefined for anything that is none. */
export function parseStagerOrder(raw: unknown): StagerOrder | undefined {
  return orderShape(raw);
}

/** What the stager is doing. */
export const STAGER_STEPS = ['choosing', 'downloading', 'verifying', 'self-check'] as const;
export type StagerStep = (typeof STAGER_STEPS)[number];

/** What `stage-release` says on its standard output: one JSON object a line; the last one is no `progress`. */
export type StagerNotice =
  | {
      readonly kind: 'progress';
      readonly step: StagerStep;
      readonly bytes: number;
      readonly total: number | null;
    }
  /** `target.new` is whole, verified, synced and has passed its self-check; nothing lies there after a dry run. */
  | { readonly kind: 'staged'; readonly release: ReadBy<typeof releaseIdentity> }
  /** What is wanted runs already. */
  | { readonly kind: 'current'; readonly release: ReadBy<typeof releaseIdentity> }
  | { readonly kind: 'failed'; readonly failure: Failure };

const progressShape = shape({
  step: oneOf(STAGER_STEPS),
  bytes: whole(),
  total: nullable(whole()),
});

/** Reads a notice; undefined for anything that is none. */
export function parseStagerNotice(raw: unknown): StagerNotice | undefined {
  const object = asObject(raw);
  switch (object?.['kind']) {
    case 'progress': {
      const progress = progressShape(raw);
      return progress && { kind: 'progress', ...progress };
    }
    case 'staged':
    case 'current': {
      const release = releaseIdentity(object['release']);
      return release && { kind: object['kind'], release };
    }
    case 'failed': {
      const failure = failureShape(object['failure']);
      return failure && { kind: 'failed', failure };
    }
    default:
      return undefined;
  }
}
