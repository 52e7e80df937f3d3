import {
  absent,
  flag,
  list,
  nullable,
  oneOf,
  parseJson,
  type ReadBy,
  shape,
  text,
  whole,
} from './read-shape.ts';
import { digestText, releaseIdentity } from './release.ts';
import { UPDATE_KINDS, UPDATE_STATES } from './update-record.ts';
import { failureShape, requestId, UPDATE_TRIGGERS } from './update-request.ts';

/** How an update ended. `superseded`: a held one whose place another took. */
export const UPDATE_OUTCOMES = [
  'committed',
  'rolled-back',
  'failed',
  'cancelled',
  'current',
  'dry-run',
  'superseded',
] as const;
export type UpdateOutcome = (typeof UPDATE_OUTCOMES)[number];

const historyShape = shape({
  v: whole(1),
  txn: text(64),
  kind: oneOf(UPDATE_KINDS),
  outcome: oneOf(UPDATE_OUTCOMES),
  from: releaseIdentity,
  to: nullable(releaseIdentity),
  request: shape({ id: requestId, trigger: oneOf(UPDATE_TRIGGERS), by: nullable(text(200)) }),
  startedAt: whole(),
  finishedAt: whole(),
  failure: nullable(failureShape),
  databaseRestored: flag,
  steps: list(shape({ state: oneOf(UPDATE_STATES), at: whole(), ms: nullable(whole()) }), 200),
  warnings: absent(list(text(500), 50), []),
});

/** One line of `data/update-history.jsonl`: an update that is over. One line for each `txn`. */
export type UpdateHistoryEntry = ReadBy<typeof historyShape>;

/** The whole lines of the history, oldest first; what cannot be read (a torn last line) is left out. */
export function parseUpdateHistory(content: string): readonly UpdateHistoryEntry[] {
  return content.split('\n').flatMap((line) => historyShape(parseJson(line)) ?? []);
}

const quarantineShape = shape({
  v: whole(1),
  entries: list(
    shape({
      digest: digestText,
      version: text(100),
      failure: failureShape,
      /** How often it was tried and failed. */
      count: whole(1),
      firstAt: whole(),
      lastAt: whole(),
      txn: text(64),
    }),
    1000,
  ),
});

/** `data/quarantine.json`: programs that failed here and are never taken again by themselves. */
export type Quarantine = ReadBy<typeof quarantineShape>;

/** Reads the quarantine; undefined for anything that is none. */
export function parseQuarantine(content: string): Quarantine | undefined {
  return quarantineShape(parseJson(content));
}

const policyShape = shape({
  v: whole(1),
  /** No update begins by itself while there is one. */
  hold: nullable(
    shape({
      at: whole(),
      by: nullable(text(200)),
      reason: nullable(text(500)),
      /** Set by the supervisor itself after two different bad releases in a row. */
      automatic: flag,
    }),
  ),
  /** The highest generation that was committed; lower ones are old news, or a replay. */
  generationFloor: nullable(whole()),
  /** Digests that were rolled back since the last commit. */
  badInARow: list(digestText, 100),
  /** What was committed last, or ran when the first update began. */
  lastGood: nullable(releaseIdentity),
});

/** `data/update-policy.json`: what the supervisor remembers between updates. */
export type UpdatePolicy = ReadBy<typeof policyShape>;

/** The policy of a host that has not seen an update. */
export const NO_POLICY: UpdatePolicy = {
  v: 1,
  hold: null,
  generationFloor: null,
  badInARow: [],
  lastGood: null,
};

/** Reads the policy; undefined for anything that is none. */
export function parseUpdatePolicy(content: string): UpdatePolicy | undefined {
  return policyShape(parseJson(content));
}
