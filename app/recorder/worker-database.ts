import type { Logger } from 'pino';
import type { Failure, Outcome } from '../../shared/contract/outcome.ts';
import { succeed } from '../../shared/contract/outcome.ts';
import { DatabaseKeeper } from '../db/database-keeper.ts';
import type { Store } from '../db/store.ts';
import { StoreHolder } from '../db/store-holder.ts';
import type { Recorder } from './start-recorder.ts';

/** The database of a worker: open in two threads, kept while the process runs. */
export type WorkerDatabase = {
  readonly store: Store;
  /** `user_version` when it was opened; 0 where it could not be. */
  readonly schema: number;
  /** Why it cannot be used, or only read. */
  failure(): Failure | undefined;
  /** Begins to keep it. `onOpened` is called whenever it was opened anew, with another content perhaps. */
  keep(listener: { readonly onChange: () => void; readonly onOpened: () => Promise<void> }): void;
  close(): void;
};

type Parts = {
  readonly path: string;
  readonly version: string;
  readonly recorder: Recorder;
  /** What the thread says of it: it opens it first, and migrates it. */
  readonly opened: Promise<Outcome<number>>;
  readonly log: Logger;
  /** Where it cannot be opened the worker is not to start. Otherwise it serves without, and opens it as soon as it can be. */
  readonly isRequired: boolean;
};

/** Opens the database in both threads. Fails where it is required, and with DATABASE_SCHEMA_NEWER, which no time mends. */
export async function openWorkerDatabase(parts: Parts): Promise<Outcome<WorkerDatabase>> {
  const { path, version, recorder, log, isRequired } = parts;
  let keeper: DatabaseKeeper | undefined;
  const onError = (error: unknown) => keeper?.suspect(error);
  const holder = new StoreHolder({ path, version, onError });
  const first = await parts.opened;
  const opened = first.ok ? holder.open() : first;
  if (!opened.ok && (isRequired || opened.failure.code === 'DATABASE_SCHEMA_NEWER')) {
    await recorder.close();
    return opened;
  }
  if (opened.ok) warnOfUnreadable(holder.store, log);
  const illness = opened.ok ? undefined : opened.failure;
  return succeed({
    store: holder.store,
    schema: opened.ok ? opened.value : 0,
    failure: () => (keeper ? keeper.failure : illness),
    keep({ onChange, onOpened }) {
      keeper = new DatabaseKeeper({
        ...{ path, holder, partner: recorder.partner, log, onChange },
        onOpened() {
          warnOfUnreadable(holder.store, log);
          return onOpened();
        },
      });
      recorder.onFault((failure) => keeper?.fault(failure));
      keeper.start(illness);
    },
    close() {
      keeper?.close();
      holder.release({ code: 'DATABASE_UNAVAILABLE', detail: 'It is closed.' });
    },
  });
}

/** Nobody but a person knows what such a line has revoked. */
function warnOfUnreadable({ settled: { unreadable } }: Store, log: Logger): void {
  if (unreadable === 0) return;
  log.warn(
    { lines: unreadable },
    'what was revoked cannot be read whole: after a database was put back, look through tokens and hooks',
  );
}
