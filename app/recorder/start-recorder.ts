import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { EventSink } from '../events/event-writer.ts';
import type { OnTaken, Taker } from '../intake/spool-taker.ts';
import type { RecorderData, RecorderNotice, RecorderOrder } from './recorder-messages.ts';

/** Put in by the build, which gives the thread a file of its own; the sources are run as they lie. */
declare const RECORDER_FILE: string | undefined;

/** The thread that writes deliveries and events into the database. */
export type Recorder = {
  /** The schema of the database once it is migrated, or why it cannot be used; rejects where the thread dies first. */
  readonly opened: Promise<Outcome<number>>;
  readonly events: EventSink;
  /** Connects the intake; `onTaken` is called in this thread. */
  startTaker(onTaken: OnTaken): Taker;
  /** Closes the database where there was no taker to do it. */
  close(): Promise<void>;
};

type Answer = { resolve(): void; reject(error: Error): void };

/**
 * Starts the thread. Database writes and their syncs then cost the request path nothing. When the thread dies the
 * process cannot go on: `onDeath` is told, and the spool keeps everything for the next one.
 */
export function startRecorder(
  data: RecorderData,
  log: Logger,
  onDeath: (error: Error) => void,
): Recorder {
  const file = typeof RECORDER_FILE === 'string' ? RECORDER_FILE : './recorder-thread.ts';
  const thread = new Worker(new URL(file, import.meta.url), { workerData: data });
  const opened = Promise.withResolvers<Outcome<number>>();
  const answers = new Map<number, Answer>();
  let orders = 0;
  let onTaken: OnTaken = () => undefined;
  let death: Error | undefined;

  const tell = (order: RecorderOrder) => thread.postMessage(order);
  const ask = (kind: 'recover' | 'settle' | 'close') =>
    new Promise<void>((resolve, reject) => {
      // A message to a thread that has ended is nobody's, and would never be answered.
      if (death) return reject(death);
      orders++;
      answers.set(orders, { resolve, reject });
      tell({ kind, number: orders });
    });

  thread.on('message', (notice: RecorderNotice) => {
    if (notice.kind === 'taken') onTaken(notice.taken, notice.tasksMade);
    else if (notice.kind === 'error') log.error(notice.fields, notice.text);
    else if (notice.kind === 'opened') opened.resolve(notice.outcome);
    else {
      const answer = answers.get(notice.number);
      answers.delete(notice.number);
      if (notice.error) answer?.reject(notice.error);
      else answer?.resolve();
    }
  });
  const die = (error: Error) => {
    death ??= error;
    for (const { reject } of [...answers.values(), opened]) reject(death);
    answers.clear();
  };
  thread.on('error', (error) => {
    die(error as Error);
    onDeath(error as Error);
  });
  thread.on('exit', () => die(new Error('the thread that writes the database has ended')));

  return {
    opened: opened.promise,
    close: () => ask('close'),
    events: { insertAll: (rows) => tell({ kind: 'events', rows }), settled: () => ask('settle') },
    startTaker(listener) {
      onTaken = listener;
      return {
        recover: () => ask('recover'),
        wake: () => tell({ kind: 'wake' }),
        finish: (segment) => tell({ kind: 'finish', segment }),
        close: () => ask('close'),
      };
    },
  };
}
