import { ERRORS } from '../../shared/contract/error-codes.ts';
import type { Failure } from '../../shared/contract/outcome.ts';
import type { UpdateState } from '../../shared/contract/update-record.ts';
import type { UpdateStatus } from '../../shared/contract/update-status.ts';

/** An open update, as the supervisor shows it or as the record tells it. */
export type OpenUpdate = NonNullable<UpdateStatus['update']>;

type Words = { readonly from: string; readonly to: string; readonly tries: string };

/** What goes on in each state, and what comes next. */
const STATES: Readonly<Record<UpdateState, (words: Words) => string>> = {
  requested: () => 'it was asked for and is about to begin',
  staging: ({ to }) => `${to} is being chosen, fetched and verified; nothing is changed yet`,
  staged: ({ to }) => `${to} lies ready and waits for running tasks to end; none begins meanwhile`,
  quiescing: ({ from }) => `${from} finishes what it serves and stops`,
  'backing-up': () => 'the database is being backed up; webhooks are accepted all the while',
  switching: ({ from, to }) => `the program file is being exchanged, ${from} for ${to}`,
  trial: ({ from, to, tries }) =>
    `${to} runs on trial, with ${tries} left; if it does not prove itself ${from} is put back`,
  'handing-over': ({ from, to }) =>
    `${to} has proven itself as a worker and now takes over the supervisor; if that fails ${from} is put back`,
  committing: ({ to }) => `${to} has proven itself; only cleaning up is left`,
  'rolling-back': ({ from, to }) => `${to} did not prove itself, so ${from} is being put back`,
  'rolled-back': ({ from }) => `${from} is back; only cleaning up is left`,
  aborting: ({ from }) => `it ends before anything was exchanged; ${from} stays`,
  held: ({ from, to }) =>
    `neither ${to} nor ${from} runs. Webhooks are accepted and kept; the rest waits for you or for another release`,
};

/** How an open update stands, in one sentence. */
export function describeOpenUpdate(update: OpenUpdate, formatTime: (ms: number) => string): string {
  const { txn, kind, state, dryRun, startedAt, triesLeft } = update;
  const what = kind === 'rollback' ? 'going back' : 'updating';
  const tries = triesLeft === 1 ? '1 try' : `${triesLeft} tries`;
  const words = { from: update.from.version, to: update.to?.version ?? 'the release', tries };
  const doing = STATES[state](words);
  const dry = dryRun ? ' It is a dry run: in the end nothing will have changed.' : '';
  return `${txn} is ${what} since ${formatTime(startedAt)}: ${doing}${describeProgress(update)}.${dry}`;
}

function describeProgress({ progress, state }: OpenUpdate): string {
  if (!progress || state !== 'staging') return '';
  const { step, bytes, total } = progress;
  return ` (${step}, ${total === null ? bytes : `${bytes} of ${total}`} bytes)`;
}

/** A failure as a sentence, without its hint. */
export function describeFailure({ code, detail }: Failure): string {
  return `${ERRORS[code].sentence} ${detail}`.trim();
}
