import type { Failure, Outcome } from '../../shared/contract/outcome.ts';
import type { Reopening } from '../db/database-keeper.ts';
import type { FailedCredentialTable } from '../db/failed-credentials.ts';
import type { PendingEvent } from '../events/event-writer.ts';
import type { TakenDelivery } from '../intake/spool-taker.ts';
import type { TakeOverRules } from '../intake/take-over.ts';

type TallyChanges = Parameters<FailedCredentialTable['save']>[0];

/** What the recorder's thread is started with. */
export type RecorderData = {
  readonly databasePath: string;
  readonly intakeDir: string;
  /** There while an update is open. */
  readonly updateRecord: string;
  readonly version: string;
  readonly takeOver: TakeOverRules;
};

/** What the thread is told. `number` is repeated in the answer. */
export type RecorderOrder =
  | { readonly kind: 'recover' | 'settle' | 'close'; readonly number: number }
  /** Closes the database and opens what lies at its path now. */
  | { readonly kind: 'reopen'; readonly number: number; readonly order: Reopening }
  /** Closes the database: it is not to be used for that reason. */
  | { readonly kind: 'release'; readonly failure: Failure }
  /** Takes up what could not be written. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'wake' }
  | { readonly kind: 'finish'; readonly segment: string }
  | { readonly kind: 'failed-credentials'; readonly changes: TallyChanges }
  | { readonly kind: 'events'; readonly rows: readonly PendingEvent[] };

/** What the thread says. */
export type RecorderNotice =
  /** The first one: the schema of the database after migration, or why there is none. */
  | { readonly kind: 'opened'; readonly outcome: Outcome<number> }
  | { readonly kind: 'reopened'; readonly number: number; readonly outcome: Outcome<number> }
  /** What an error said of the database itself. */
  | { readonly kind: 'fault'; readonly failure: Failure }
  | { readonly kind: 'done'; readonly number: number; readonly error?: Error }
  | {
      readonly kind: 'taken';
      readonly taken: readonly TakenDelivery[];
      readonly tasksMade: number;
    }
  | { readonly kind: 'error'; readonly fields: object; readonly text: string };
