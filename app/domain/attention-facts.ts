import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { HealthState, Severity } from './health.ts';

/** The closed list of what can want a person. */
export const ATTENTION_KINDS = [
  'health',
  'failed-task',
  'stuck-task',
  'quarantined-image',
  'failed-job',
  'missed-job',
  'held-update',
  'registry-limit',
  'registry-refusal',
  'unit-fault',
  'damaged-deliveries',
  'missed-deliveries',
  'image-limit',
  'credentials-limited',
  'connections-limited',
  'locked-hook',
] as const;

/** One of them. */
export type AttentionKind = (typeof ATTENTION_KINDS)[number];

/** What a person can do about it: in words, as a command, and as the call of the API that does the same. */
export type AttentionAction = {
  readonly hint: string;
  readonly command: string | null;
  readonly api: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string } | null;
};

/** Something that wants a person. Times are milliseconds since the epoch. */
export type AttentionItem = {
  /** Of this very occasion: the same thing on another day has another one. */
  readonly id: string;
  readonly kind: AttentionKind;
  readonly severity: Severity;
  readonly unit: string | null;
  readonly code: ErrorCode | null;
  /** What was seen; may be empty. */
  readonly detail: string;
  readonly since: number;
  readonly action: AttentionAction;
};

/** A task, as far as it is told of. */
export type TaskFacts = {
  readonly id: string;
  readonly unit: string;
  readonly status: string;
  readonly summary: string;
  readonly error_code: ErrorCode | null;
  readonly error_detail: string | null;
  readonly created_at: number;
  readonly finished_at: number | null;
};

/** Everything that is known, one list from each source. */
export type AttentionFacts = {
  readonly health: readonly HealthState[];
  readonly failed: readonly TaskFacts[];
  readonly stuck: readonly TaskFacts[];
  readonly limited: readonly TaskFacts[];
  readonly quarantined: readonly {
    readonly unit: string;
    readonly digest: string;
    readonly image: string;
    readonly code: ErrorCode;
    readonly detail: string;
    readonly last_at: number;
  }[];
  readonly jobs: readonly {
    readonly name: string;
    /** Its last run went wrong; null: it did not, or never ran. */
    readonly failed: {
      readonly at: number;
      readonly code: ErrorCode | null;
      readonly taskId: string | null;
    } | null;
    /** Its due time that should have been served by now; null: none. */
    readonly missedAt: number | null;
  }[];
  readonly hold: { readonly at: number; readonly reason: string | null } | null;
  /** Images whose tag a registry does not tell. */
  readonly refusals: readonly {
    readonly image: string;
    readonly code: ErrorCode;
    readonly detail: string;
    readonly at: number;
  }[];
  /** Registries that want to be left alone for now. */
  readonly limits: readonly {
    readonly host: string;
    readonly detail: string;
    readonly at: number;
  }[];
  readonly faults: readonly {
    readonly unit: string;
    readonly fault: string;
    readonly at: number;
  }[];
  /** What no delivery told of in its time lately, and when that was found last. */
  readonly missed: {
    /** Pushes that were found by their tags, and of how many units. */
    readonly count: number;
    readonly units: number;
    /** Deliveries of GitHub that came when they were asked for again. */
    readonly recovered: number;
    readonly at: number;
  } | null;
  /** Segments of the spool that could not be read and are kept for a person. */
  readonly damaged: readonly { readonly name: string; readonly at: number }[];
  /** Tasks that wait because their image was deployed so often. */
  readonly imageLimited: readonly TaskFacts[];
  /** Addresses whose credentials are not looked at for now, or `*` for all together. */
  readonly credentials: readonly {
    readonly kind: string;
    readonly address: string;
    readonly count: number;
    readonly since: number;
  }[];
  /** Connections that were ended lately because there were too many, or they were too slow; null: none. */
  readonly connections: { readonly count: number; readonly at: number } | null;
  /** Hooks whose secrets this host cannot open, so that they let nobody in. */
  readonly lockedHooks: readonly { readonly name: string; readonly at: number }[];
};
