/**
 * The thread that writes deliveries and events into the database, away from the thread that answers requests. It is
 * also the one that migrates the database, so that the other can say meanwhile that all is well.
 */
import { isDeepStrictEqual } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { realFiles } from '../../shared/fs/files.ts';
import type { Reopening } from '../db/database-keeper.ts';
import { explainDatabaseError } from '../db/explain-database-error.ts';
import { identifyDatabase } from '../db/identify-database.ts';
import { adoptRescued, findOccupant, placeRescued, rescueDatabase } from '../db/rescue-database.ts';
import type { Store } from '../db/store.ts';
import { StoreHolder } from '../db/store-holder.ts';
import { EventWriter, type PendingEvent } from '../events/event-writer.ts';
import { SpoolTaker } from '../intake/spool-taker.ts';
import { nameTasks } from './name-tasks.ts';
import type { RecorderData, RecorderNotice, RecorderOrder } from './recorder-messages.ts';

const data = workerData as RecorderData;
const say = (notice: RecorderNotice) => parentPort?.postMessage(notice);

const { databasePath, version } = data;
/** That a database is ill is told once, by whoever keeps it, and not with each try to use it. */
let isIll = false;
const onError = (error: unknown) => {
  const failure = explainDatabaseError(error);
  if (!failure) return;
  isIll = true;
  say({ kind: 'fault', failure });
};
const holder = new StoreHolder({ path: databasePath, version, onError });
const log = {
  error: (fields: object, text: string) => {
    if (!isIll) say({ kind: 'error', fields, text });
  },
};

say({ kind: 'opened', outcome: open() });
serve(holder.store);

function open(): Outcome<number> {
  try {
    adoptRescued(databasePath);
  } catch {
    // What keeps it from that keeps the database from being opened as well.
  }
  const outcome = holder.open();
  isIll = !outcome.ok;
  return outcome;
}

function serve(store: Store): void {
  const taker = new SpoolTaker({
    folder: data.intakeDir,
    store,
    log,
    rules: data.takeOver,
    onTaken: (taken, tasksMade) => say({ kind: 'taken', taken, tasksMade }),
    isUpdateOpen: () => realFiles.facts(data.updateRecord) !== undefined,
  });
  const insertAll = (events: readonly PendingEvent[]) => {
    store.events.insertAll(nameTasks(store, events, () => taker.takeOverNow()));
  };
  const events = new EventWriter({ insertAll }, log);

  parentPort?.on('message', (order: RecorderOrder) => {
    switch (order.kind) {
      case 'wake':
        return taker.wake();
      case 'finish':
        return taker.finish(order.segment);
      case 'events':
        for (const row of order.rows) events.record(row);
        return events.flush();
      case 'failed-credentials':
        try {
          return store.failedCredentials.save(order.changes);
        } catch (error) {
          return log.error({ err: error }, 'failed credentials could not be written down');
        }
      case 'recover':
        return answer(order.number, () => taker.recover());
      case 'settle':
        return answer(order.number, () => events.flush());
      case 'release':
        isIll = true;
        return holder.release(order.failure);
      case 'reopen':
        return say({ kind: 'reopened', number: order.number, outcome: reopen(order.order) });
      case 'resume':
        isIll = false;
        taker.wake();
        return events.flush();
      case 'close':
        answer(order.number, () => {
          taker.close();
          events.flush();
          holder.release({ code: 'DATABASE_UNAVAILABLE', detail: 'It is closed.' });
        });
        // Behind the answer, which would not leave through a closed port; without it the thread ends.
        return parentPort?.close();
    }
  });
}

function reopen({ isLost, isDoubtful }: Reopening): Outcome<number> {
  const saved = isLost ? saveLost() : succeed(undefined);
  if (!saved.ok) return saved;
  holder.release({ code: 'DATABASE_UNAVAILABLE', detail: 'It is being opened.' });
  const opened = open();
  const checked = opened.ok && isDoubtful ? holder.store.checkWhole() : succeed(undefined);
  if (checked.ok) return opened;
  holder.release(checked.failure);
  return checked;
}

/** Puts what is still open of files that have lost their names at the path, unless a person has put another database there. */
function saveLost(): Outcome<void> {
  const { files } = holder;
  // Nothing is open, or it has got its names back: a volume was mounted again.
  if (!files || isDeepStrictEqual(files, identifyDatabase(databasePath))) return succeed(undefined);
  const occupant = findOccupant(databasePath, files);
  if (occupant === 'other') return succeed(undefined);
  const rescued = rescueDatabase(databasePath, files, (file) => holder.store.copyInto(file));
  if (!rescued.ok) return rescued;
  const keepAs = occupant === 'own' ? undefined : `${databasePath}.replaced-${Date.now()}`;
  return placeRescued(rescued.value, databasePath, keepAs);
}

function answer(number: number, act: () => void): void {
  try {
    act();
    say({ kind: 'done', number });
  } catch (error) {
    say({ kind: 'done', number, error: error as Error });
  }
}
