import { flag, list, nullable, oneOf, type ReadBy, shape, text, whole } from './read-shape.ts';
import { releaseIdentity } from './release.ts';
import { STAGER_STEPS } from './stager-messages.ts';
import { UPDATE_KINDS, UPDATE_STATES } from './update-record.ts';
import { failureShape, UPDATE_TRIGGERS } from './update-request.ts';

const statusShape = shape({
  /** One more with each change, so that a reader can tell old from new. */
  change: whole(),
  supervisor: shape({
    pid: whole(1),
    version: text(100),
    /** Which file it runs: the program, or the one before it that the launcher fell back to. */
    slot: oneOf(['target', 'old', 'elsewhere']),
  }),
  /** Null: this program can be updated. Otherwise why it cannot. */
  unavailable: nullable(failureShape),
  update: nullable(
    shape({
      txn: text(64),
      kind: oneOf(UPDATE_KINDS),
      state: oneOf(UPDATE_STATES),
      trigger: oneOf(UPDATE_TRIGGERS),
      dryRun: flag,
      from: releaseIdentity,
      to: nullable(releaseIdentity),
      startedAt: whole(),
      triesLeft: whole(),
      failure: nullable(failureShape),
      progress: nullable(
        shape({ step: oneOf(STAGER_STEPS), bytes: whole(), total: nullable(whole()) }),
      ),
      steps: list(shape({ state: oneOf(UPDATE_STATES), at: whole(), ms: nullable(whole()) }), 200),
    }),
  ),
});

/** What the supervisor shows of itself: pushed to the worker at each change, and the answer to `status`. */
export type UpdateStatus = ReadBy<typeof statusShape>;

/** Reads a status; undefined for anything that is none. */
export function parseUpdateStatus(raw: unknown): UpdateStatus | undefined {
  return statusShape(raw);
}
