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
  /** The update that kept it. */
  readonly txn: string;
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
  /** The newest first, each program once, as the supervisor finds them. */
  readonly retained: readonly RetainedVersion[];
  /** Files that are there and could not be read, each with why; what they say is missing above. */
  readonly unreadable: readonly string[];
};
