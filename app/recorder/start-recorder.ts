import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { type Failure, fail, type Outcome } from '../../shared/contract/outcome.ts';
import type { Partner } from '../db/database-keeper.ts';
import type { FailedCredentialTable } from '../db/failed-credentials.ts';
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
  /** Writes down how often credentials have failed. */
  saveFailed(changes: Parameters<FailedCredentialTable['save']>[0]): void;
  /** Connects the intake; `onTaken` is called in this thread. */
  startTaker(onTaken: OnTaken): Taker;
  /** Has the thread close and open its database. */
  readonly partner: Partner;
  /** `listener` is told what errors of the thread say of the database itself. */
  onFault(listener: (failure: Failure) => void): void;
  /** Closes the database where there was no taker to do it. */
  close(): Promise<void>;
};

type Answer = { resolve(outcome?: Outcome<number>): void; reject(error: Error): void };

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
  let onFault: (failure: Failure) => void = () => undefined;
  let death: Error | undefined;

  const tell = (order: RecorderOrder) => thread.postMessage(order);
  const send: Send = (order) =>
    new Promise((resolve, reject) => {
      // A message to a thread that has ended is nobody's, and would never be answered.
      if (death) return reject(death);
      orders++;
      answers.set(orders, { resolve, reject });
      tell(order(orders));
    });
  const ask = async (kind: 'recover' | 'settle' | 'close') => {
    await send((number) => ({ kind, number }));
  };

  const settle = (number: number, settler: (answer: Answer) => void) => {
    const answer = answers.get(number);
    answers.delete(number);
    if (answer) settler(answer);
  };
  const hear = (notice: RecorderNotice) => {
    switch (notice.kind) {
      case 'taken':
        return onTaken(notice.taken, notice.tasksMade);
      case 'error':
        return log.error(notice.fields, notice.text);
      case 'opened':
        return opened.resolve(notice.outcome);
      case 'fault':
        return onFault(notice.failure);
      case 'reopened':
        return settle(notice.number, ({ resolve }) => resolve(notice.outcome));
      case 'done':
        return settle(notice.number, ({ resolve, reject }) =>
          notice.error ? reject(notice.error) : resolve(),
        );
    }
  };
  thread.on('message', hear);
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
    ...{ opened: opened.promise, close: () => ask('close') },
    onFault(listener) {
      onFault = listener;
    },
    partner: toPartner(tell, send),
    saveFailed: (changes) => tell({ kind: 'failed-credentials', changes }),
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

type Send = (order: (number: number) => RecorderOrder) => Promise<Outcome<number> | undefined>;

function toPartner(tell: (order: RecorderOrder) => void, send: Send): Partner {
  return {
    release: (failure) => tell({ kind: 'release', failure }),
    reopen: async (order) =>
      (await send((number) => ({ kind: 'reopen', number, order }))) ??
      fail('DATABASE_UNAVAILABLE', 'Nobody says whether it could be opened.'),
    resume: () => tell({ kind: 'resume' }),
  };
}
