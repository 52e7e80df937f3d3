import * as z from 'zod';
import { STAGER_STEPS } from '../../shared/contract/stager-messages.ts';
import { UPDATE_OUTCOMES } from '../../shared/contract/update-history.ts';
import { UPDATE_KINDS, UPDATE_STATES } from '../../shared/contract/update-record.ts';
import { UPDATE_TRIGGERS } from '../../shared/contract/update-request.ts';
import { EXPLAIN_TOPICS } from '../domain/explain-update.ts';
import { type Answer, failureView, moment, pageOf } from './answer.ts';

const words = z.string().nullable();
const count = z.int().min(0);
const kind = z.enum(UPDATE_KINDS);
const trigger = z.enum(UPDATE_TRIGGERS);
const state = z.enum(UPDATE_STATES);

const releaseView = z
  .strictObject({
    version: z.string(),
    digest: z.string(),
    tag: words,
    generation: count.nullable(),
    commit: words,
  })
  .meta({
    id: 'Release',
    description: 'A program, told apart by its digest; what is not known of it is null.',
  });
/** A program, told apart by its digest. */
export type ReleaseView = Answer<typeof releaseView>;

const updateStepView = z
  .strictObject({
    state,
    at: moment,
    ms: count.nullable().describe('How long it took; null while it goes on.'),
  })
  .meta({ id: 'UpdateStep' });
/** What was done when. */
export type UpdateStepView = Answer<typeof updateStepView>;

const openUpdateView = z
  .strictObject({
    txn: z.string(),
    kind,
    state,
    trigger,
    dry_run: z.boolean(),
    from: releaseView,
    to: releaseView.nullable(),
    started_at: moment,
    tries_left: count,
    failure: failureView.nullable(),
    progress: z
      .strictObject({ step: z.enum(STAGER_STEPS), bytes: count, total: count.nullable() })
      .nullable()
      .describe('Only while a release is fetched, and only from a supervisor that answers.'),
    steps: z.array(updateStepView),
  })
  .meta({ id: 'OpenUpdate', description: 'The update that is open.' });
/** The update that is open. */
export type OpenUpdateView = Answer<typeof openUpdateView>;

const updateHistoryView = z
  .strictObject({
    txn: z.string(),
    kind,
    outcome: z.enum(UPDATE_OUTCOMES),
    from: releaseView,
    to: releaseView.nullable(),
    trigger,
    by: words,
    started_at: moment,
    finished_at: moment,
    failure: failureView.nullable(),
    database_restored: z.boolean(),
    steps: z.array(updateStepView),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'UpdateHistoryEntry', description: 'An update that is over.' });
/** An update that is over. */
export type UpdateHistoryView = Answer<typeof updateHistoryView>;

/** A page of `GET /api/self-update/history`. */
export const updateHistoryPageView = pageOf('updates', updateHistoryView, 'UpdateHistory');

const scheduleView = z
  .strictObject({
    cron: z.string(),
    dry_run: z.boolean(),
    next_run_at: moment.nullable().describe('Null where it never comes.'),
  })
  .meta({ id: 'SelfUpdateSchedule', description: 'When updates begin by themselves.' });
/** When updates begin by themselves. */
export type ScheduleView = Answer<typeof scheduleView>;

const statusFields = {
  source: z
    .enum(['supervisor', 'files'])
    .describe('Whose word it is: that of the supervisor, or of the files because it is silent.'),
  supervisor: z
    .strictObject({
      pid: z.int().min(1),
      version: z.string(),
      slot: z.enum(['target', 'old', 'elsewhere']),
    })
    .nullable(),
  unavailable: failureView
    .nullable()
    .describe('Why this program cannot be updated here; null where it can, or nobody says.'),
  update: openUpdateView.nullable(),
};

/** What goes on now: the part that changes while somebody looks, and an event of `GET /sse/self-update`. */
export const updateStatusView = z.strictObject(statusFields).meta({ id: 'SelfUpdateStatus' });
/** What goes on now. */
export type UpdateStatusView = Answer<typeof updateStatusView>;

/** What `GET /api/self-update` and `self-update status --json` answer. Times are ISO 8601 in UTC. */
export const selfUpdateView = z
  .strictObject({
    ...statusFields,
    hold: z
      .strictObject({
        at: moment,
        by: words,
        reason: words,
        automatic: z.boolean().describe('Set by the supervisor after two bad releases in a row.'),
      })
      .nullable()
      .describe('No update begins by itself while there is one.'),
    quarantine: z
      .array(
        z.strictObject({
          version: z.string(),
          digest: z.string(),
          failure: failureView,
          count,
          first_at: moment,
          last_at: moment,
          txn: z.string(),
        }),
      )
      .describe('Programs that failed here and are not taken again.'),
    retained: z
      .array(
        z.strictObject({
          version: z.string(),
          digest: z.string(),
          tag: words,
          txn: z.string(),
          kept_at: moment,
          bytes: count,
          has_database: z.boolean(),
        }),
      )
      .describe('Versions that can be gone back to, the newest first.'),
    last: updateHistoryView.nullable(),
    schedule: scheduleView.nullable().describe('Null without PODUP_SELF_UPDATE_CRON.'),
    unreadable: z
      .array(z.string())
      .describe('Files that could not be read, each with why; what they would say is missing.'),
  })
  .meta({ id: 'SelfUpdate' });
/** What `GET /api/self-update` and `self-update status --json` answer. */
export type SelfUpdateView = Answer<typeof selfUpdateView>;

/** What a look at the source of releases came to. */
export const releaseCheckView = z
  .strictObject({
    kind: z
      .enum(['other', 'current'])
      .describe('`other`: it would be installed. `current`: it runs already.'),
    running: z.string().describe('What runs.'),
    version: words.describe('Null where what runs is what was found.'),
    tag: z.string(),
    published_at: words.describe('As its manifest says; null where it has none, or runs already.'),
    skipped: z
      .array(z.string())
      .describe('Tags of newer releases that were passed over because they failed here.'),
  })
  .meta({ id: 'ReleaseCheck' });
/** What a look at the source of releases came to. */
export type ReleaseCheckView = Answer<typeof releaseCheckView>;

/** What `GET /api/self-update/explain` and `self-update explain --json` answer; the answer stands first. */
export const explainView = z
  .strictObject({
    sentences: z.array(
      z.strictObject({ topic: z.enum(EXPLAIN_TOPICS), text: z.string(), hint: words }),
    ),
  })
  .meta({ id: 'Explanation' });
/** What `GET /api/self-update/explain` and `self-update explain --json` answer. */
export type ExplainView = Answer<typeof explainView>;

/** The update that a request has opened, or means; null where there is none. */
export const askedUpdateView = z.strictObject({ txn: words }).meta({ id: 'AskedUpdate' });
