import type { Loaded } from '../shared/config/load-settings.ts';
import { PROGRAM } from '../shared/config/program-version.ts';
import { type Outcome, succeed } from '../shared/contract/outcome.ts';
import { makeDirectoryDurably } from '../shared/fs/durable-file.ts';
import { createLogger } from '../shared/log/create-logger.ts';
import { nameUser } from '../shared/process/name-user.ts';
import {
  joinChecks,
  joinHealth,
  joinManual,
  joinUnits,
  registerAdminRoutes,
} from './admin-routes.ts';
import { type LocalService, methodOf } from './cli/service/question.ts';
import { openStore, type Store } from './db/store.ts';
import type { Host } from './host/host.ts';
import { openHost } from './host/open-host.ts';
import { localIdentity } from './http/admin-gate.ts';
import { createApp } from './http/create-app.ts';
import { createEventStreams } from './http/event-streams.ts';
import { registerTaskLogStream } from './http/routes/task-log-stream.ts';
import { registerInfoRoutes } from './info-routes.ts';
import { openSpoolOnly } from './intake/spool-only.ts';
import { openAccess } from './join-access.ts';
import { joinHooks } from './join-hooks.ts';
import { joinFailedCredentials } from './join-limits.ts';
import { createExecutors } from './tasks/create-dispatcher.ts';
import { createTimerGuards } from './tasks/create-timer-guards.ts';
import { createCommitSource } from './tasks/live/commit-source.ts';
import { TaskLogFeed } from './tasks/live/task-log-feed.ts';
import { TaskKiller } from './tasks/task-killer.ts';
import { createSelfUpdate } from './updates/self-update.ts';

/** What works on the state where no service does. */
export type LocalParts = {
  readonly loaded: Loaded;
  readonly environment: NodeJS.ProcessEnv;
  /** How this program is started again for a task. */
  readonly program: readonly [string, ...string[]];
};

/**
 * The routes of the worker over the state itself, for a command while no service runs: so that each answers the same either
 * way. Nothing listens, nothing is dispatched: new tasks wait for the service. What is asked leaves no event here, for the
 * command leaves its own.
 */
export async function openLocalService(parts: LocalParts): Promise<Outcome<LocalService>> {
  const { loaded, environment } = parts;
  const program = { version: PROGRAM.version, nowMs: Date.now() };
  const store = openStore(loaded.paths.database, program);
  if (!store.ok) return store;
  const host = openHost(loaded.settings, environment);
  if (!host.ok) {
    store.value.close();
    return host;
  }
  const { app, close } = joinLocalParts(parts, store.value, host.value);
  await app.ready();
  return succeed({
    async ask(question) {
      const { path, body, headers } = question;
      const method = methodOf(question);
      const answer = await app.inject({
        ...{ method, url: path, payloadAsStream: true },
        ...(headers && { headers }),
        ...(body !== undefined && { payload: body as object }),
      });
      return { status: answer.statusCode, body: answer.stream() };
    },
    close,
  });
}

function joinLocalParts(parts: LocalParts, store: Store, host: Host) {
  const { loaded } = parts;
  const { settings, paths, secrets } = loaded;
  const destination = process.stderr;
  const log = createLogger({ name: 'command', level: 'error', secrets, destination });
  const { run } = host;
  const events = { record: () => {}, settle: () => Promise.resolve() };
  const app = createApp({ log, events });
  const { systemdRun, child } = createExecutors(parts);
  const executors = [systemdRun, child];
  const killer = new TaskKiller({ store, log, executors, onGone: () => {} });
  const { known, units, discovery } = joinUnits(loaded, { store, host, log });
  const checks = joinChecks(loaded, store, host, { known, units });
  const { hooks, book } = joinHooks(loaded, store);
  const intake = openSpoolOnly(() => {
    makeDirectoryDurably(paths.intakeDir);
    return paths.intakeDir;
  });
  hooks.load();
  const save = store.failedCredentials.save;
  const failed = joinFailedCredentials(settings, log, { save });
  failed.load(store.failedCredentials.list());
  const caller = localIdentity(`cli:${nameUser()}`);
  const gate = () => succeed(caller);
  const access = openAccess(settings, store, log);
  registerAdminRoutes(app, loaded, {
    ...{ access, failed },
    ...{ store, events, gate, known, units, checks, discovery, hooks, book, intake },
    onTask: () => {},
    health: joinHealth(loaded, parts.environment, { store, host, supervisor: () => undefined }),
    manual: joinManual(loaded, store, host, { known, units, onTask: () => {} }),
    guards: createTimerGuards({ store, run, log }),
    dispatcher: {
      async tell(task) {
        if (task.status !== 'running') return;
        await executors.find(({ kind }) => kind === task.executor)?.wake(task);
      },
      kill: (task) => killer.kill(task),
    },
  });
  const selfUpdate = createSelfUpdate({ settings, paths });
  registerInfoRoutes(app, loaded, { store, gate, known, units, selfUpdate, hooks });
  const onError = (error: unknown) => log.error({ err: error }, 'watching the database failed');
  const feed = new TaskLogFeed(store, createCommitSource(paths.database, log), onError);
  const streams = createEventStreams();
  registerTaskLogStream(app, { store, feed, streams, gate });
  return {
    app,
    async close() {
      streams.close();
      feed.close();
      access.book.close();
      await app.close();
      killer.close();
      checks.close();
      await discovery.close();
      await intake.close();
      for (const executor of executors) executor.close();
      await host.close();
      store.close();
    },
  };
}
