import type { Failure } from '../../../shared/contract/outcome.ts';
import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import type { StagerOrder, StagerStep } from '../../../shared/contract/stager-messages.ts';
import type {
  Quarantine,
  UpdateOutcome,
  UpdatePolicy,
} from '../../../shared/contract/update-history.ts';
import type { DatabaseBackup, UpdateRecord } from '../../../shared/contract/update-record.ts';
import type { UpdateRequest } from '../../../shared/contract/update-request.ts';
import type { Report } from '../effect.ts';
import type { WorkerSignal } from '../event.ts';

/** What outlives updates: their policy, and the programs that failed here. */
export type Memory = { readonly policy: UpdatePolicy; readonly quarantine: Quarantine };

/** Serving without a fault since `untilMs` is set; `good` probes in a row so far. */
export type Soaking = {
  readonly what: 'soaking';
  readonly untilMs: number;
  readonly good: number;
  readonly failures: number;
};

/** What an open update waits for. Which of them may occur in which state of the record, `step` decides. */
export type Doing =
  | {
      readonly what:
        | 'staging'
        | 'inspecting'
        | 'pausing'
        | 'suspending'
        | 'backing-up'
        | 'switching'
        | 'restoring-wanted'
        | 'starting'
        | 'checking'
        | 'executing'
        | 'restoring-program'
        | 'settling-database'
        | 'closing'
        | 'held';
    }
  | Soaking;

/** How far the stager is. */
export type Progress = {
  readonly step: StagerStep;
  readonly bytes: number;
  readonly total: number | null;
};

/** An update under way. */
export type Open = {
  readonly kind: 'open';
  readonly record: UpdateRecord;
  readonly doing: Doing;
  /** When the record came into its state, on the monotonic clock; null after a restart. */
  readonly sinceMs: number | null;
  readonly progress: Progress | null;
  /** The disk refused the record: nothing happens before it takes it. */
  readonly isUnsaved: boolean;
};

/** A request that is looked into; nothing is durable yet. `over` is a held update whose place it takes. */
export type Identifying = {
  readonly kind: 'identifying';
  readonly request: UpdateRequest;
  readonly over: UpdateRecord | null;
};

/** The update half of the supervisor. Plain data. */
export type UpdateMachine = {
  readonly memory: Memory;
  /** Why this program cannot be updated here; null where it can. */
  readonly unavailable: Failure | null;
  /** Which program this supervisor is, where an update is open. */
  readonly self: 'from' | 'to';
  /** The supervisor is told to end: nothing is begun any more. */
  readonly isStopping: boolean;
  readonly work: { readonly kind: 'none' } | Identifying | Open;
};

/** The clocks of the update. */
export type UpdateTimer = 'idle-deadline' | 'probe' | 'retry' | 'held-poll';

/** A former program that is kept, and the database that it had. */
export type Retained = {
  readonly file: string;
  readonly release: ReleaseIdentity;
  readonly backup: DatabaseBackup | null;
};

/** Everything that can happen to an update. */
export type UpdateEvent =
  | { readonly kind: 'request'; readonly request: UpdateRequest }
  | {
      readonly kind: 'identified';
      readonly from: ReleaseIdentity;
      /** For `rollback`: what was found of the wanted version. */
      readonly retained: Retained | null;
    }
  | ({ readonly kind: 'staging-progress' } & Progress)
  | { readonly kind: 'staged'; readonly release: ReleaseIdentity }
  | { readonly kind: 'current'; readonly release: ReleaseIdentity }
  /** The stager gave a reason. */
  | { readonly kind: 'staging-failed'; readonly failure: Failure }
  | { readonly kind: 'inspected'; readonly compatible: boolean; readonly detail: string }
  | { readonly kind: 'worker-idle' }
  | WorkerSignal
  | { readonly kind: 'backed-up'; readonly backup: DatabaseBackup }
  | { readonly kind: 'switched' }
  | { readonly kind: 'wanted-restored' }
  | { readonly kind: 'probed'; readonly failure: Failure | null }
  | {
      readonly kind: 'checked';
      readonly failure: Failure | null;
      readonly warnings: readonly string[];
    }
  /** This supervisor cannot turn into another program on this host, whatever the program. */
  | { readonly kind: 'hand-over-impossible'; readonly reason: string }
  | { readonly kind: 'program-restored' }
  | { readonly kind: 'database-settled'; readonly restored: boolean }
  | { readonly kind: 'closed'; readonly memory: Memory }
  | { readonly kind: 'policy-saved'; readonly policy: UpdatePolicy }
  | { readonly kind: 'looked'; readonly found: boolean }
  /** What was being done did not work. */
  | { readonly kind: 'act-failed'; readonly failure: Failure }
  /** The record could not be made durable; what was to follow it was not done. */
  | { readonly kind: 'persist-failed'; readonly failure: Failure }
  | { readonly kind: 'update-timer'; readonly timer: UpdateTimer }
  | { readonly kind: 'stop' }
  | { readonly kind: 'reload' };

/**
 * What is to be done, in order. `persist` is done before anything behind it begins; where it fails, what is behind it
 * is not done. Everything may be repeated after a crash.
 */
export type UpdateEffect =
  | { readonly kind: 'persist'; readonly record: UpdateRecord }
  | {
      readonly kind: 'answer';
      readonly id: string;
      readonly txn: string | null;
      readonly failure: Failure | null;
    }
  /** Finds out what runs and, for a rollback, what is kept. */
  | { readonly kind: 'identify'; readonly version: string | null }
  | { readonly kind: 'stage'; readonly order: Omit<StagerOrder, 'target'> }
  /** Ends whatever child works for the update. */
  | { readonly kind: 'cancel-act' }
  /** Asks the staged program whether it can run on the database as it is. */
  | { readonly kind: 'inspect-staged' }
  | { readonly kind: 'tell-worker'; readonly message: 'pause' | 'proceed' }
  | { readonly kind: 'suspend-worker' }
  | { readonly kind: 'resume-worker'; readonly trial: boolean }
  | { readonly kind: 'end-trial' }
  | { readonly kind: 'back-up'; readonly record: UpdateRecord }
  | { readonly kind: 'switch-program'; readonly record: UpdateRecord }
  | { readonly kind: 'restore-wanted'; readonly record: UpdateRecord }
  | { readonly kind: 'probe'; readonly version: string }
  | { readonly kind: 'check'; readonly record: UpdateRecord }
  /** Turns this supervisor into the program at the target. */
  | { readonly kind: 'execute' }
  | { readonly kind: 'restore-program'; readonly record: UpdateRecord }
  | { readonly kind: 'settle-database'; readonly record: UpdateRecord }
  /** History, report, quarantine, policy, leftovers, and at last the record itself. */
  | {
      readonly kind: 'close';
      readonly record: UpdateRecord;
      readonly outcome: UpdateOutcome;
      readonly memory: Memory;
    }
  /** The same without the record, whose place another takes at once. */
  | { readonly kind: 'supersede'; readonly record: UpdateRecord; readonly memory: Memory }
  | {
      readonly kind: 'save-policy';
      readonly policy: UpdatePolicy;
      readonly requestId: string;
    }
  /** Whether there is a release to be had, for a held supervisor. */
  | { readonly kind: 'look-for-release' }
  | { readonly kind: 'set-update-timer'; readonly timer: UpdateTimer; readonly afterMs: number }
  | { readonly kind: 'clear-update-timer'; readonly timer: UpdateTimer }
  | Report;

/** The numbers that rule an update, in milliseconds. */
export type UpdateRules = {
  /** How long a new version has to serve under the old supervisor. */
  readonly soakMs: number;
  /** The same once the supervisor is the new one, at most. */
  readonly handedOverSoakMs: number;
  /** The same for an old version that was put back, at most. */
  readonly settleMs: number;
  readonly idleTimeoutMs: number;
};

/** What a step may know besides machine and event. */
export type UpdateContext = {
  /** Monotonic. */
  readonly nowMs: number;
  /** Milliseconds since the epoch; for the record only, nothing is decided by it. */
  readonly wallMs: number;
  readonly random: number;
  readonly bootId: string;
  /** For an update that may be opened. */
  readonly freshTxn: string;
  /** Whether the worker serves; `none` where there is none on purpose. */
  readonly worker: 'serving' | 'down' | 'none';
  readonly rules: UpdateRules;
};

/** The machine that follows and what is to be done. */
export type UpdateStep = {
  readonly machine: UpdateMachine;
  readonly effects: readonly UpdateEffect[];
};
