import type { TestContext } from 'node:test';
import type { CheckedUnitView } from '../../../app/api/check-views.ts';
import type { UnitSource } from '../../../app/domain/found-unit.ts';
import type { UpdateStatus } from '../../../app/domain/update-verdict.ts';
import { openLocalHost } from '../../../app/host/open-host.ts';
import { takeOver } from '../../../app/intake/take-over.ts';
import type { MaintenanceInput, MaintenanceParts } from '../../../app/tasks/maintenance-parts.ts';
import { runMaintenance } from '../../../app/tasks/run-maintenance.ts';
import { createKnownUnits } from '../../../app/units/known-units.ts';
import { fail, succeed } from '../../../shared/contract/outcome.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { spoolEntry } from '../../helpers/spool.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** A unit of the tests. */
export type Unit = {
  readonly unit: string;
  image: string;
  /** What its container runs, and what its tag means. */
  runs: string;
  means: string | null;
  readonly isAutoUpdated?: boolean;
  readonly webhookEnabled?: boolean;
  isDown?: boolean;
};

/** Units on a host whose registry the test has: what their tags mean is asked for and kept as a check does. */
export function startLooks(context: TestContext, units: readonly Unit[]) {
  const folder = makeTempFolder(context);
  const { store } = openTestStore(context, folder);
  // Which task of a unit is the newest one has to be sure, however quick the test is.
  let nowMs = Date.now();
  context.mock.method(Date, 'now', () => ++nowMs);
  const known = createKnownUnits({
    ...{ listed: units.map(({ unit }) => unit), autoDiscover: false },
    readFound: () =>
      units.map(({ unit, isAutoUpdated = false, webhookEnabled }) => ({
        ...{ unit, source: 'quadlet' as UnitSource, path: null, image: null, isAutoUpdated },
        ...{ hasPolicy: false, webhookEnabled: webhookEnabled ?? null, fault: null },
        ...{ firstSeenAt: 0, lastSeenAt: 0 },
      })),
  });
  /** What was answered last. */
  const answers = new Map<string, string>();
  const asked: (readonly string[])[] = [];
  const view = ({ unit, image, runs, means, isDown = false }: Unit): CheckedUnitView => {
    const digest = answers.get(unit) ?? null;
    const code = isDown ? 'CHECK_NOTHING_RUNS' : 'REGISTRY_TIMEOUT';
    const error = { code, sentence: 's', detail: 'd', hint: 'h' } as const;
    const isKnown = means !== null && digest !== null && !isDown;
    const status: UpdateStatus = digest === runs ? 'up_to_date' : 'tag_update_available';
    const update = {
      ...{ tag: 'main', running_digest: runs, remote_latest_digest: null, checked_at: null },
      ...{ age_ms: 0, stale: false, last_known: null, higher: null, remote_tag_digest: digest },
      ...(isKnown
        ? { status, reason: null, error: null }
        : ({ status: 'unknown', reason: error.code, error } as const)),
    } as const;
    return { unit, image, update };
  };
  let isHostThere = true;
  const notes: string[] = [];
  const parts: MaintenanceParts = {
    ...{ taskId: 'tsk_run', isByPerson: false, store, paths: statePaths(folder) },
    host: openLocalHost('user', {}),
    settings: {
      ...{ taskRetentionMs: 1, deliveryRetentionMs: 1, eventRetentionMs: 1 },
      ...{ eventMaxRows: 1, backupKeep: 1 },
    },
    updates: () => ({
      known,
      check: (names, { isForced }) => {
        if (!isHostThere) return Promise.resolve(fail('PODMAN_UNAVAILABLE', ''));
        // What was answered a moment ago may be what a push has changed since.
        if (!isForced) throw new Error('asked for what is known already');
        asked.push(names ?? []);
        const chosen = units.filter(({ unit }) => names?.includes(unit));
        for (const { unit, means } of chosen) if (means !== null) answers.set(unit, means);
        const failed = chosen.filter(({ means }) => means === null).length;
        return Promise.resolve(succeed({ units: 1, asked: chosen.length, failed, durationMs: 1 }));
      },
      list: (names) => units.filter(({ unit }) => names.includes(unit)).map(view),
    }),
    signal: new AbortController().signal,
    note: (level, action, summary) => void notes.push(`${level} ${action}: ${summary}`),
  };
  let taken = 0;
  return {
    ...{ store, known, asked, units, answers, notes },
    run: (input: Partial<MaintenanceInput> = {}) =>
      runMaintenance(parts, { ...input, maintenance: 'missed-deliveries' }),
    /** A delivery is accepted for a unit, and its task ends as it does. */
    deliver(
      unit: string,
      image: string,
      digest: string,
      status?: 'succeeded' | 'failed',
      hook?: string,
    ) {
      taken++;
      takeOver(
        store,
        [
          spoolEntry({
            ...{ id: `dlv_${taken}`, unit, receivedAt: Date.now() },
            verdict: { verdict: 'accepted', matched: 'tag', image, digest },
            ...(hook !== undefined && { hook: { name: hook, secret: 's', isUnsigned: false } }),
          }),
        ],
        { segment: 'a', end: taken },
        { windowMs: 0 },
      );
      const [task] = store.tasks.list({ unit, limit: 1 });
      if (!status || !task) return;
      store.tasks.markDispatched(task.id, 'child', Date.now());
      const end = { status, summary: '', at: Date.now() };
      store.tasks.finish(attemptOf(store.tasks, task.id), end);
    },
    made: () => store.tasks.list({ kinds: ['scheduler'], limit: 100 }),
    loseHost: () => {
      isHostThere = false;
    },
  };
}

/** What most of them are about. */
export const WEB = { unit: 'web.service', image: 'ghcr.io/o/web:main' };

/** A unit that a webhook has deployed, and the first look at its tag. */
export async function startDeployed(context: TestContext) {
  const web: Unit = { ...WEB, runs: 'd1', means: 'd1' };
  const all = startLooks(context, [web]);
  all.deliver(web.unit, web.image, 'd1', 'succeeded');
  await all.run();
  return { ...all, web };
}
