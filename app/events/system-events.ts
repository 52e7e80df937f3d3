import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Failure, Outcome } from '../../shared/contract/outcome.ts';
import type { EventWriter } from './event-writer.ts';
import { makeSystemEvent, type SystemEventFacts } from './system-event.ts';

/** What happens without anybody asking for it. */
export type SystemEvents = {
  /** The worker is about to serve. */
  started(facts: { readonly schema: number; readonly isTrial: boolean }): void;
  stopped(): void;
  /** The process of a task was gone: it begins again, or is closed with a failure. */
  taskLost(taskId: string, how: string, failure: Failure | undefined): void;
  /** The schedule of self-updates has asked for one. */
  ticked(asked: Outcome<{ readonly txn: string | null }>, isDryRun: boolean): void;
  /** The schedule has begun a job as a task. */
  jobBegun(job: string, taskId: string): void;
  /** Other units are known than before. */
  unitsChanged(change: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
  }): void;
  /** A place where units may be found can no longer be looked into. */
  discoveryFailed(source: string, failure: Failure): void;
  /** A run of podman's auto-update that somebody else has begun was found; its task, where something has come of it. */
  autoUpdateSeen(
    name: string,
    facts: {
      readonly taskId?: string | undefined;
      readonly warnings?: number;
      readonly summary?: string;
    },
  ): void;
  /** So many credentials of an address, or of all, have failed that they are told to come later. */
  credentialsLimited(facts: {
    readonly kind: string;
    readonly address: string;
    readonly count: number;
    readonly until: string;
  }): void;
  /** A report of a self-update has become a task. */
  reportImported(file: string, taskId: string): void;
};

/** So many units are named in one event. */
const MAX_NAMED = 50;

/** Records such events with the method `SYSTEM`; the path says which part of the program it was. */
export function createSystemEvents(events: Pick<EventWriter, 'record'>): SystemEvents {
  const record = (action: string, path: string, facts: SystemEventFacts) =>
    events.record(makeSystemEvent(action, path, facts));
  return {
    started: ({ schema, isTrial }) =>
      record('service-started', 'worker', { meta: { ...PROGRAM, schema, trial: isTrial } }),
    stopped: () => record('service-stopped', 'worker', { meta: PROGRAM }),
    taskLost: (taskId, how, failure) =>
      record(failure ? 'task-lost' : 'task-resumed', 'tasks', { taskId, failure, meta: { how } }),
    ticked: (asked, isDryRun) =>
      record('scheduler', 'self-update', {
        status: 202,
        failure: asked.ok ? undefined : asked.failure,
        meta: { dry_run: isDryRun, ...(asked.ok && { txn: asked.value.txn }) },
      }),
    jobBegun: (job, taskId) => record('scheduler', job, { status: 202, taskId }),
    unitsChanged: ({ added, removed }) => {
      if (added.length + removed.length === 0) return;
      const few = { added: added.slice(0, MAX_NAMED), removed: removed.slice(0, MAX_NAMED) };
      const counts = { added_count: added.length, removed_count: removed.length };
      record('discovery', 'units', { meta: { ...few, ...counts } });
    },
    discoveryFailed: (source, failure) => record('discovery', source, { failure }),
    autoUpdateSeen: (name, { taskId, warnings = 0, summary }) =>
      record(warnings > 0 ? 'auto-update-warning' : 'auto-update-run', 'auto-update', {
        ...(taskId !== undefined && { taskId }),
        meta: { name, warnings, ...(summary !== undefined && { summary }) },
      }),
    credentialsLimited: (facts) =>
      record('credentials-limited', facts.kind, { status: 429, meta: facts }),
    reportImported: (file, taskId) =>
      record('self-update-report', 'self-update', { taskId, meta: { file } }),
  };
}
