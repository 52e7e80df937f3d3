import type { Outcome } from '../../shared/contract/outcome.ts';
import type { PendingEvent } from '../events/event-writer.ts';
import type { TakenDelivery } from '../intake/spool-taker.ts';

/** What the recorder's thread is started with. */
export type RecorderData = {
  readonly databasePath: string;
  readonly intakeDir: string;
  /** There while an update is open. */
  readonly updateRecord: string;
  readonly version: string;
};

/** What the thread is told. `number` is repeated in the answer. */
export type RecorderOrder =
  | { readonly kind: 'recover' | 'settle' | 'close'; readonly number: number }
  | { readonly kind: 'wake' }
  | { readonly kind: 'finish'; readonly segment: string }
  | { readonly kind: 'events'; readonly rows: readonly PendingEvent[] };

/** What the thread says. */
export type RecorderNotice =
  /** The first one: the schema of the database after migration, or why there is none; then the thread ends. */
  | { readonly kind: 'opened'; readonly outcome: Outcome<number> }
  | { readonly kind: 'done'; readonly number: number; readonly error?: Error }
  | {
      readonly kind: 'taken';
      readonly taken: readonly TakenDelivery[];
      readonly tasksMade: number;
    }
  | { readonly kind: 'error'; readonly fields: object; readonly text: string };
