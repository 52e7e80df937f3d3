/**
 * The thread that writes deliveries and events into the database, away from the thread that answers requests. It is
 * also the one that migrates the database, so that the other can say meanwhile that all is well.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { succeed } from '../../shared/contract/outcome.ts';
import { realFiles } from '../../shared/fs/files.ts';
import { openStore, type Store } from '../db/store.ts';
import { EventWriter, type PendingEvent } from '../events/event-writer.ts';
import { SpoolTaker } from '../intake/spool-taker.ts';
import { nameTasks } from './name-tasks.ts';
import type { RecorderData, RecorderNotice, RecorderOrder } from './recorder-messages.ts';

const data = workerData as RecorderData;
const say = (notice: RecorderNotice) => parentPort?.postMessage(notice);
const log = { error: (fields: object, text: string) => say({ kind: 'error', fields, text }) };

const opened = openStore(data.databasePath, { version: data.version, nowMs: Date.now() });
say({ kind: 'opened', outcome: opened.ok ? succeed(opened.value.schema) : opened });
// Without a listener on its port the thread ends.
if (opened.ok) serve(opened.value);

function serve(store: Store): void {
  const taker = new SpoolTaker({
    folder: data.intakeDir,
    store,
    log,
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
      case 'recover':
        return answer(order.number, () => taker.recover());
      case 'settle':
        return answer(order.number, () => events.flush());
      case 'close':
        answer(order.number, () => {
          taker.close();
          events.flush();
          store.close();
        });
        // Behind the answer, which would not leave through a closed port; without it the thread ends.
        return parentPort?.close();
    }
  });
}

function answer(number: number, act: () => void): void {
  try {
    act();
    say({ kind: 'done', number });
  } catch (error) {
    say({ kind: 'done', number, error: error as Error });
  }
}
