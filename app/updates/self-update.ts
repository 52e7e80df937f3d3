import type { Settings } from '../../shared/config/settings.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import type { UpdateStatus } from '../../shared/contract/update-status.ts';
import type {
  ReleaseCheckView,
  ScheduleView,
  SelfUpdateView,
  UpdateHistoryView,
  UpdateStatusView,
} from '../api/self-update-views.ts';
import type { Page } from '../api/views.ts';
import type { Explanation, UpdateSituation } from '../domain/explain-update.ts';
import { type AskSupervisor, createAskSupervisor } from './ask-supervisor.ts';
import { explainSelfUpdate } from './explain-update.ts';
import { type HistoryFilter, listHistory } from './list-history.ts';
import { readUpdateState } from './read-update-state.ts';
import type { SupervisorChannel } from './supervisor-channel.ts';
import { viewSelfUpdate, viewStatus } from './view-self-update.ts';

/** What the worker knows of updates of itself and can have done about them. */
export type SelfUpdate = {
  /** Asks the supervisor. */
  readonly ask: AskSupervisor;
  view(): Promise<SelfUpdateView>;
  history(filter: HistoryFilter): Promise<Page<'updates', UpdateHistoryView>>;
  /** What is going on and why (not) yet. */
  explain(): Promise<readonly Explanation[]>;
  /** Looks for the release that would be installed; one look at a time, shared by all who ask meanwhile. */
  check(): Promise<Outcome<ReleaseCheckView>>;
  /** What goes on now; `change` is zero without a word of the supervisor. */
  status(): Promise<{ readonly change: number; readonly view: UpdateStatusView }>;
  /** Tells each change. Gives what ends the listening. */
  onStatus(listener: (change: number, view: UpdateStatusView) => void): () => void;
};

/** What it is made of. */
export type SelfUpdateParts = {
  readonly settings: Settings;
  readonly paths: StatePaths;
  /** Where there is a supervisor. */
  readonly channel?: SupervisorChannel | undefined;
  readonly schedule?: { view(): ScheduleView | undefined } | undefined;
};

/** A look with its retries; who waits for it should not wait for ever. */
const CHECK_LIMIT_MS = 60_000;

/** Joins what is known of updates: the word of the supervisor, its files, the source of releases. */
export function createSelfUpdate(parts: SelfUpdateParts): SelfUpdate {
  const { settings, paths, channel, schedule } = parts;
  let checking: Promise<Outcome<ReleaseCheckView>> | undefined;
  let newest: UpdateSituation['newest'] = null;
  const view = async () =>
    viewSelfUpdate(await readUpdateState(paths), {
      status: channel?.latestStatus(),
      schedule: schedule?.view(),
    });
  return {
    ask: createAskSupervisor(channel, paths),
    view,
    history: async (filter) => listHistory((await readUpdateState(paths)).history, filter),
    check() {
      checking ??= look(parts)
        .then((found) => {
          newest = { at: Date.now(), found };
          return found;
        })
        .finally(() => {
          checking = undefined;
        });
      return checking;
    },
    async explain() {
      const facts = await readUpdateState(paths);
      const status = channel?.latestStatus();
      return explainSelfUpdate({
        facts,
        status: status ? succeed(status) : fail('UPDATE_SUPERVISOR_UNREACHABLE', ''),
        settings,
        schedule: schedule?.view(),
        newest,
        isService: true,
      });
    },
    async status() {
      const said = sayStatus(channel);
      if (said) return said;
      const { source, supervisor, unavailable, update } = await view();
      // It may have spoken for the first time meanwhile.
      return sayStatus(channel) ?? { change: 0, view: { source, supervisor, unavailable, update } };
    },
    onStatus(listener) {
      const tell = (status: UpdateStatus) => listener(status.change, viewStatus(status));
      return channel?.onUpdateStatus(tell) ?? (() => undefined);
    },
  };
}

async function look({ settings, paths }: SelfUpdateParts): Promise<Outcome<ReleaseCheckView>> {
  // Loaded when it is wanted: a client for HTTP is much for what is asked so seldom.
  const { checkRelease } = await import('./check-release.ts');
  const facts = await readUpdateState(paths);
  return checkRelease({ settings, facts, signal: AbortSignal.timeout(CHECK_LIMIT_MS) });
}

function sayStatus(channel: SupervisorChannel | undefined) {
  const status = channel?.latestStatus();
  return status && { change: status.change, view: viewStatus(status) };
}
