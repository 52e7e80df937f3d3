import type { ReleaseIdentity } from '../../shared/contract/release.ts';
import type { UpdateHistoryEntry } from '../../shared/contract/update-history.ts';
import type { UpdateRecord } from '../../shared/contract/update-record.ts';
import type { UpdateStatus } from '../../shared/contract/update-status.ts';
import { viewFailure } from '../api/problem.ts';
import type {
  OpenUpdateView,
  ReleaseView,
  ScheduleView,
  SelfUpdateView,
  UpdateHistoryView,
  UpdateStatusView,
  UpdateStepView,
} from '../api/self-update-views.ts';
import type { RetainedVersion, UpdateFacts } from '../domain/update-facts.ts';

/** What is known beside the files. */
export type LiveFacts = {
  /** Undefined where the supervisor is silent. */
  readonly status?: UpdateStatus | undefined;
  readonly schedule?: ScheduleView | undefined;
};

/** All there is to say of updates now: by the supervisor where it speaks, else by the files. */
export function viewSelfUpdate(facts: UpdateFacts, live: LiveFacts = {}): SelfUpdateView {
  const { status, schedule } = live;
  const { hold } = facts.policy;
  const last = facts.history.at(-1);
  return {
    ...(status ? viewStatus(status) : viewFiles(facts)),
    hold: hold && { ...hold, at: isoTime(hold.at) },
    quarantine: facts.quarantine.map(({ failure, firstAt, lastAt, ...bad }) => ({
      ...bad,
      failure: viewFailure(failure),
      first_at: isoTime(firstAt),
      last_at: isoTime(lastAt),
    })),
    retained: facts.retained.map(viewRetained),
    last: last ? viewHistoryEntry(last) : null,
    schedule: schedule ?? null,
    unreadable: [...facts.unreadable, ...viewBroken(facts)],
  };
}

/** What goes on, in the words of the supervisor. */
export function viewStatus({ supervisor, unavailable, update }: UpdateStatus): UpdateStatusView {
  return {
    source: 'supervisor',
    supervisor,
    unavailable: unavailable && viewFailure(unavailable),
    update: update && viewOpenUpdate(update),
  };
}

/** An update that is over. */
export function viewHistoryEntry(entry: UpdateHistoryEntry): UpdateHistoryView {
  const { txn, kind, outcome, to, failure, request, warnings } = entry;
  return {
    txn,
    kind,
    outcome,
    from: viewRelease(entry.from),
    to: to && viewRelease(to),
    trigger: request.trigger,
    by: request.by,
    started_at: isoTime(entry.startedAt),
    finished_at: isoTime(entry.finishedAt),
    failure: failure && viewFailure(failure),
    database_restored: entry.databaseRestored,
    steps: entry.steps.map(viewStep),
    warnings,
  };
}

/** What goes on, as far as the record tells. */
function viewFiles({ record }: UpdateFacts): UpdateStatusView {
  const newer = record.kind === 'newer' ? `It has format ${record.v}.` : undefined;
  return {
    source: 'files',
    supervisor: null,
    unavailable:
      newer === undefined ? null : viewFailure({ code: 'UPDATE_RECORD_NEWER', detail: newer }),
    update: record.kind === 'record' ? viewOpenUpdate(ofRecord(record.record)) : null,
  };
}

function ofRecord(record: UpdateRecord): NonNullable<UpdateStatus['update']> {
  const { trigger, dryRun } = record.request;
  return { ...record, trigger, dryRun, progress: null };
}

function viewOpenUpdate(update: NonNullable<UpdateStatus['update']>): OpenUpdateView {
  const { txn, kind, state, trigger, from, to, failure, progress } = update;
  return {
    txn,
    kind,
    state,
    trigger,
    dry_run: update.dryRun,
    from: viewRelease(from),
    to: to && viewRelease(to),
    started_at: isoTime(update.startedAt),
    tries_left: update.triesLeft,
    failure: failure && viewFailure(failure),
    progress,
    steps: update.steps.map(viewStep),
  };
}

function viewRelease({ version, digest, tag, generation, commit }: ReleaseIdentity): ReleaseView {
  return { version, digest, tag, generation, commit };
}

function viewStep({ state, at, ms }: UpdateHistoryEntry['steps'][number]): UpdateStepView {
  return { state, at: isoTime(at), ms };
}

function viewRetained(kept: RetainedVersion): SelfUpdateView['retained'][number] {
  const { version, digest, tag } = kept.release;
  const { txn, bytes } = kept;
  return {
    version,
    digest,
    tag,
    txn,
    kept_at: isoTime(kept.keptAt),
    bytes,
    has_database: kept.hasDatabase,
  };
}

function viewBroken({ record }: UpdateFacts): readonly string[] {
  return record.kind === 'broken' ? [`UPDATE_LOCK.json: ${record.reason}`] : [];
}

/** A time that another process wrote, which may be beyond what a date can be. */
export function isoTime(ms: number): string {
  return new Date(Math.min(ms, 8.64e15)).toISOString();
}
