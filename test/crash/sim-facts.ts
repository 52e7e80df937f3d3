import type { Program, Trouble } from './sim-programs.ts';

/** A row that somebody was told is there. */
export type Acknowledged = {
  readonly row: string;
  /** The version that wrote it. */
  readonly by: string;
  /** The update that was open then. */
  readonly txn: string | null;
};

/** What is true of the world whatever process dies and whatever the disk forgets. */
export type Facts = {
  boot: number;
  nowMs: number;
  txns: number;
  /** Webhooks that were answered with 2xx; all of them are in the spool. */
  deliveries: number;
  /** Deliveries before this one are not in the spool any more. */
  spoolStart: number;
  acknowledged: readonly Acknowledged[];
  /** Updates that somebody was told are open. */
  answered: readonly string[];
  /** Updates whose record said `committing`, durably. */
  committed: readonly { readonly txn: string; readonly version: string }[];
  /** How often the new program was started in this part of its trial, and what that part is. */
  starts: number;
  part: string;
  triesLeft: number;
  /** What the source of releases has. */
  offer: Program | null;
  /** What has become of programs by their versions, whatever their files say. */
  troubles: Readonly<Record<string, Trouble>>;
};

export const FIRST_FACTS: Facts = {
  boot: 1,
  nowMs: 1_000,
  txns: 0,
  deliveries: 0,
  spoolStart: 0,
  acknowledged: [],
  answered: [],
  committed: [],
  starts: 0,
  part: '',
  triesLeft: 0,
  offer: null,
  troubles: {},
};
