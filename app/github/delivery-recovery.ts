import type { Logger } from 'pino';
import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { type GithubHook, parseGithubHook } from '../../shared/contract/github-hook.ts';
import type { Store } from '../db/store.ts';
import { isFinal } from '../domain/task.ts';
import { HTTP_LIMITS, type HttpLimits, openReleaseHttp } from '../updates/release/release-http.ts';
import { createDeliveriesApi } from './deliveries-api.ts';
import { recoverDeliveries } from './recover-deliveries.ts';

/** Has failed deliveries of GitHub asked for again, beside the job `missed-deliveries`. */
export type DeliveryRecovery = {
  /** Whether there is a hook to be asked for. */
  isOn(): boolean;
  /** The service has begun to deploy, for the first time or again. */
  afterStart(): void;
  /** There may be a new task of the job; not heard before the start. */
  look(): void;
  /** Ends what is being asked. */
  close(): Promise<void>;
};

type Parts = {
  readonly store: Store;
  readonly log: Logger;
  readonly settings: Pick<
    Settings,
    'githubToken' | 'githubApiUrl' | 'githubHooks' | 'missedDeliveriesCron'
  >;
  readonly limits?: HttpLimits;
};

/** However many hooks there are, and however slow the answers. */
const LOOK_TIMEOUT_MS = 600_000;

/**
 * It is this process that asks, for a task has no token: what is started for one lives in an environment that others can read.
 * The job says when, and its log says what came of it. One look at a time; what comes meanwhile is one more after it.
 */
export function createDeliveryRecovery(parts: Parts): DeliveryRecovery {
  const { store, log, settings, limits = HTTP_LIMITS } = parts;
  const { githubToken: token, githubApiUrl: apiUrl } = settings;
  if (token === undefined || settings.missedDeliveriesCron === 'off') return OFF;
  const leaving = new AbortController();
  let hasStarted = false;
  let last: string | undefined;
  let isWanted = false;
  let running: Promise<void> | undefined;
  const http = openReleaseHttp({
    ...{ userAgent: `pod-upgrade-trigger/${PROGRAM.version}`, signal: leaving.signal, limits },
  });
  const api = createDeliveriesApi({ http, apiUrl, token });
  const listHooks = () => joinHooks(settings.githubHooks, store.githubDeliveries.listLearned());

  const runOnce = async () => {
    const taskId = last;
    const signal = AbortSignal.any([leaving.signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)]);
    const note: Parameters<typeof recoverDeliveries>[0]['note'] = (level, summary, meta) => {
      log[level === 'info' ? 'info' : 'warn'](meta, summary);
      if (taskId === undefined) return;
      const entry = { level, action: 'github-deliveries', summary, meta: JSON.stringify(meta) };
      store.taskLogs.append({ task_id: taskId, ts: Date.now(), ...entry });
    };
    await recoverDeliveries({ store, api, hooks: listHooks(), signal, note });
  };
  const runWhileWanted = async () => {
    while (isWanted && !leaving.signal.aborted) {
      isWanted = false;
      await runOnce().catch((error: unknown) => {
        log.error({ err: error }, 'failed deliveries could not be asked for again');
      });
    }
    running = undefined;
  };
  const run = () => {
    isWanted = true;
    running ??= runWhileWanted();
  };
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      log.error({ err: error }, 'failed deliveries could not be looked for');
    }
  };
  return {
    isOn: () => listHooks().length > 0,
    afterStart: () =>
      attempt(() => {
        hasStarted = true;
        last = findJob(store);
        if (listHooks().length > 0) run();
      }),
    look: () =>
      attempt(() => {
        const job = hasStarted ? findJob(store) : undefined;
        if (job === undefined || job === last) return;
        last = job;
        if (listHooks().length > 0) run();
      }),
    async close() {
      leaving.abort();
      await running;
      await http.close();
    },
  };
}

const OFF: DeliveryRecovery = {
  isOn: () => false,
  afterStart: () => undefined,
  look: () => undefined,
  close: () => Promise.resolve(),
};

/** The task of the job that has not ended, but for one that only follows a push. */
function findJob(store: Store): string | undefined {
  const task = store.tasks.findMaintenance('missed-deliveries');
  if (!task || isFinal(task.status)) return undefined;
  const { pushedOnly = false } = JSON.parse(task.input ?? '{}') as { pushedOnly?: boolean };
  return pushedOnly ? undefined : task.id;
}

/** Each hook once, the configured ones first. */
function joinHooks(
  configured: readonly GithubHook[],
  learned: readonly string[],
): readonly GithubHook[] {
  const named = learned.map(parseGithubHook).filter((hook) => hook !== undefined);
  const seen = new Set<string>();
  return [...configured, ...named].filter(({ id }) => !seen.has(id) && seen.add(id));
}
