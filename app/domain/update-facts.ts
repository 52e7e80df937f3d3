import type { ReleaseIdentity } from '../../shared/contract/release.ts';
import type {
  Quarantine,
  UpdateHistoryEntry,
  UpdatePolicy,
} from '../../shared/contract/update-history.ts';
import type { RecordReading } from '../../shared/contract/update-record.ts';

/** A program that is kept on this host and can be gone back to. */
export type RetainedVersion = {
  readonly release: ReleaseIdentity;
  /** Where the program lies. */
  readonly file: string;
  /** The update that kept it; null for the one beside the program, which has no database of its own. */
  readonly txn: string | null;
  /** Whether its database is kept with it. */
  readonly hasDatabase: boolean;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly keptAt: number;
};

/** What the files of the state directory say of updates. */
export type UpdateFacts = {
  readonly record: RecordReading;
  /** Oldest first; of a very long history only the end. */
  readonly history: readonly UpdateHistoryEntry[];
  readonly quarantine: Quarantine['entries'];
  readonly policy: UpdatePolicy;
  /** The newest first, each program once. */
  readonly retained: readonly RetainedVersion[];
  /** Files that are there and could not be read, each with why; what they say is missing above. */
  readonly unreadable: readonly string[];
};

/** A program that has been in place and was left again, so that TARGET.old is no longer what it was then. */
const EXCHANGES: readonly UpdateHistoryEntry['outcome'][] = [
  'committed',
  'rolled-back',
  'superseded',
];

/**
 * What lies at TARGET.old between two updates: what was replaced by the last one, if that one was committed. After an
 * update that went back it is the running program once more, and nothing to go back to.
 */
export function identifyOld(facts: Pick<UpdateFacts, 'record' | 'history'>) {
  if (facts.record.kind !== 'none') return undefined;
  const last = facts.history.findLast(({ outcome }) => EXCHANGES.includes(outcome));
  return last?.outcome === 'committed' ? last : undefined;
}
