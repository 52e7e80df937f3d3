import type { Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Loaded } from '../shared/config/load-settings.ts';
import { PROGRAM } from '../shared/config/program-version.ts';
import { type Outcome, succeed } from '../shared/contract/outcome.ts';
import type { UpdateAnswer } from '../shared/contract/update-request.ts';
import {
  type AdminParts,
  joinChecks,
  joinHealth,
  joinManual,
  joinUnits,
  registerAdminRoutes,
} from './admin-routes.ts';
import { EventWriter } from './events/event-writer.ts';
import { createSystemEvents, type SystemEvents } from './events/system-events.ts';
import type { Health } from './health/create-health.ts';
import { judgeSupervisor } from './health/judge-supervisor.ts';
import type { Host } from './host/host.ts';
import { openHost } from './host/open-host.ts';
import type { UnitCatalog } from './host/unit-catalog.ts';
import type { ConnectionGuard } from './http/connections/guard-connections.ts';
import { registerLiveStreams } from './http/routes/live-streams.ts';
import { registerPruneApi } from './http/routes/prune-api.ts';
import { registerSelfUpdateApi } from './http/routes/self-update-api.ts';
import { registerInfoRoutes, registerMetricRoutes } from './info-routes.ts';
import type { Intake } from './intake/intake.ts';
import { type JoinedAccess, joinAccess } from './join-access.ts';
import { joinHooks } from './join-hooks.ts';
import { joinIntake } from './join-intake.ts';
import { joinFailedCredentials } from './join-limits.ts';
import { joinWebhook } from './join-webhook.ts';
import { openServers } from './open-servers.ts';
import { type Recorder, startRecorder } from './recorder/start-recorder.ts';
import { openWorkerDatabase, type WorkerDatabase } from './recorder/worker-database.ts';
import { createSelfUpdateCall } from './scheduler/ask-self-update.ts';
import { createIdleReason } from './scheduler/idle-reason.ts';
import { joinSchedule } from './scheduler/join-schedule.ts';
import { viewSelfUpdateJob } from './scheduler/view-schedule.ts';
import { dropOldCompiledCode } from './tasks/compiled-code.ts';
import { createDispatcher } from './tasks/create-dispatcher.ts';
import { createTimerGuards, type TimerGuards } from './tasks/create-timer-guards.ts';
import { followAutoUpdate } from './tasks/follow-auto-update.ts';
import { type CommitSource, createCommitSource } from './tasks/live/commit-source.ts';
import { createPruneService } from './tasks/prune-service.ts';
import { sharePodmanInfo } from './tasks/shared-podman-info.ts';
import type { TaskDispatcher } from './tasks/task-dispatcher.ts';
import { createAskSupervisor } from './updates/ask-supervisor.ts';
import { createBeginning } from './updates/create-beginning.ts';
import { ReportImporter } from './updates/import-reports.ts';
import { obeySupervisor } from './updates/obey-supervisor.ts';
import { createSelfUpdate } from './updates/self-update.ts';
import type { SupervisorChannel } from './updates/supervisor-channel.ts';
import { whileSaying } from './updates/while-saying.ts';

/** What a worker is made of. */
export type WorkerParts = {
  readonly loaded: Loaded;
  readonly log: Logger;
  /** How this program is started again for a task. */
  readonly program: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** Where there is a supervisor. */
  readonly channel?: SupervisorChannel;
  /** Begins no task before the supervisor says so. */
  readonly isTrial?: boolean;
  /** Told when a part that the worker cannot do without has died. */
  readonly onDeath: (error: Error) => void;
};

/** A worker whose application is ready to listen. */
export type WorkerProcess = {
  readonly app: FastifyInstance;
  /** Serves the command line of this user. */
  readonly local: Server;
  /** `user_version` of the database. */
  readonly schema: number;
  /** Serves what has arrived, makes everything durable, and lets go; at once when `hurry` is aborted. */
  stop(hurry?: AbortSignal): Promise<void>;
};

/**
 * Opens the database, joins the parts of the worker, and takes over what was accepted and what was running before.
 * The thread migrates, and this one says meanwhile that it does; when the thread dies, so do its words.
 */
export async function startWorker(parts: WorkerParts): Promise<Outcome<WorkerProcess>> {
  const { loaded, log, channel, onDeath, environment } = parts;
  const { database, dataDir, intakeDir, updateRecord } = loaded.paths;
  const { version } = PROGRAM;
  const recorder = startRecorder(
    { databasePath: database, intakeDir, updateRecord, version, takeOver: takeOverRules(loaded) },
    log,
    onDeath,
  );
  const opened = await openWorkerDatabase({
    ...{ path: database, version, recorder, log },
    opened: whileSaying(channel, 'migrating', recorder.opened),
    // What is not proven yet has to prove that it can use it.
    isRequired: parts.isTrial ?? false,
  });
  if (!opened.ok) return opened;
  const readInfo = sharePodmanInfo(dataDir, environment);
  const host = openHost(loaded.settings, environment, { readInfo, sockets: 'manager' });
  if (!host.ok) {
    opened.value.close();
    await recorder.close();
    return host;
  }
  // The first deployment need not wait for it; where it fails now it is asked again then.
  if (loaded.settings.sshTarget === undefined) readInfo(host.value.run).catch(() => undefined);
  const { app, local, recover, stop } = joinParts(parts, recorder, opened.value, host.value);
  await app.ready();
  await whileSaying(channel, 'recovering', recover());
  return succeed({ app, local, schema: opened.value.schema, stop });
}

function takeOverRules({ settings: { webhookWindowMs } }: Loaded) {
  return { windowMs: webhookWindowMs };
}

type Joined = Pick<WorkerProcess, 'app' | 'local' | 'stop'> & { recover(): Promise<void> };

function joinParts(
  parts: WorkerParts,
  recorder: Recorder,
  database: WorkerDatabase,
  host: Host,
): Joined {
  const { loaded, log, channel, isTrial = false } = parts;
  const { store } = database;
  const { settings, paths } = loaded;
  const { run } = host;
  const events = new EventWriter(recorder.events, log);
  const system = createSystemEvents(events);
  const commits = createCommitSource(paths.database, log);
  const dispatcher = createDispatcher({ ...parts, store, commits, onLost: system.taskLost });
  const { known, units, discovery } = joinUnits(loaded, { store, host, log }, system);
  const wake = () => dispatcher.wake();
  const { intake, search, asking } = joinIntake(parts, recorder, { store, known, units, wake });
  const { app, local, drain, connections } = openServers(settings, log, events);
  const failed = joinFailedCredentials(settings, log, { save: recorder.saveFailed, system });
  const access = joinAccess(settings, store, commits, log, failed);
  const guards = createTimerGuards({ store, run, log });
  const manual = joinManual(loaded, store, host, { known, units, onTask: search.afterManual });
  const health = joinHealth(loaded, parts.environment, {
    ...{ store, host, database: () => database.failure() },
    supervisor: () => judgeSupervisor(channel),
  });
  const checks = joinChecks(loaded, store, host, { known, units });
  const { gate } = access;
  const served = { app, events, intake, known, units, gate, manual, health, checks, discovery };
  const work = { ...asking, access, store, dispatcher, onTask: wake, guards, run, commits, system };
  const joined = { ...served, ...work, failed, connections, ...joinHooks(loaded, store) };
  const payloads = joinWebhook(loaded, log, joined);
  registerAdminRoutes(app, loaded, joined);
  const schedules = joinSchedules(parts, joined);
  const beginning = createBeginning(
    () => database.failure(),
    isTrial,
    () => {
      schedules.start();
      guards.start();
      search.afterStart();
      discovery.start(search.afterDiscovery);
    },
  );
  obeySupervisor(channel, joined, beginning.prove);
  return {
    ...{ app, local },
    recover: () => recoverAll(parts, database, joined, beginning.begin),
    async stop(hurry) {
      schedules.endStreams();
      health.close();
      // A part of the supervisor's own limit, so that it never has to kill us while we still write.
      await drain(settings.stopTimeoutMs / 2, hurry);
      await app.close();
      connections.close();
      schedules.closeSchedule();
      dispatcher.close();
      guards.close();
      checks.close();
      await Promise.all([discovery.close(), asking.recovery.close()]);
      await schedules.close();
      payloads.close();
      access.close();
      system.stopped();
      // Handed over first, for the recorder writes what it has when the intake closes it.
      events.flush();
      failed.flush();
      await intake.close();
      await host.close();
      database.close();
    },
  };
}

/** Takes over what was accepted and what was running before: at once, or as soon as the database is well. */
async function recoverAll(
  { loaded, isTrial = false }: WorkerParts,
  database: WorkerDatabase,
  { known, units, intake, dispatcher, health, system, hooks, access, failed, store }: JoinedParts,
  startSchedules: () => void,
): Promise<void> {
  const takeOver = async () => {
    known.reload();
    failed.load(store.failedCredentials.list());
    access.book.reload();
    hooks.reload();
    await intake.recover();
    await dispatcher.recover();
  };
  const onChange = () => {
    startSchedules();
    health.lookAtOwn();
  };
  database.keep({ onChange, onOpened: takeOver });
  // Hooks let in without it, by what is written down beside it.
  if (database.failure()) hooks.reload();
  else await takeOver();
  health.start();
  // Known before the first webhook asks, but nothing waits for it.
  void units.refreshAll(loaded.settings.units);
  system.started({ schema: database.schema, isTrial });
  if (isTrial) return;
  dropOldCompiledCode(loaded.paths.dataDir);
  startSchedules();
}

type JoinedParts = AdminParts & {
  readonly connections: ConnectionGuard;
  readonly health: Health;
  readonly app: FastifyInstance;
  readonly events: EventWriter;
  readonly intake: Intake;
  readonly units: UnitCatalog;
  readonly dispatcher: TaskDispatcher;
  readonly guards: TimerGuards;
  readonly commits: CommitSource;
  readonly system: SystemEvents;
  readonly run: Host['run'];
  readonly access: JoinedAccess;
  readonly recovery: ReturnType<typeof joinIntake>['asking']['recovery'];
};

/**
 * What begins by the clock, and updates of this program itself, as far as the worker has a part in them. A version on trial
 * begins none and imports nothing: what it writes into the database may be taken back.
 */
function joinSchedules(parts: WorkerParts, joined: JoinedParts) {
  const { health, app, gate, store, commits, system, dispatcher, manual, known, run } = joined;
  const { loaded, log, channel, environment } = parts;
  const { settings, paths } = loaded;
  const { selfUpdateDryRun: dryRun } = settings;
  const onImported = system.reportImported;
  const reports = new ReportImporter({ folder: paths.reportsDir, store, log, onImported });
  const onSeen = system.autoUpdateSeen;
  const foreign = followAutoUpdate({ settings, environment, store, run, log, onSeen });
  const ask = createAskSupervisor(channel, paths);
  const onRun = (asked: Outcome<UpdateAnswer>) => system.ticked(asked, dryRun);
  const schedule = joinSchedule({
    ...{ settings, store, log, onBegun: system.jobBegun },
    askForUpdate: createSelfUpdateCall({ dryRun, ask, log, onRun }),
    idle: createIdleReason(known, store, joined.asksGithub),
    onTask(job) {
      if (job === 'missed-deliveries') joined.recovery.look();
      if (job !== 'reconcile') return dispatcher.wake();
      dispatcher.lookForLost().catch((error: unknown) => {
        log.error({ err: error }, 'tasks that were begun elsewhere could not be looked at');
      });
    },
  });
  const ownSchedule = { view: () => viewSelfUpdateJob(store, settings, Date.now()) };
  const selfUpdate = createSelfUpdate({ settings, paths, channel, schedule: ownSchedule });
  registerSelfUpdateApi(app, { selfUpdate, gate });
  registerInfoRoutes(app, loaded, { ...joined, selfUpdate });
  registerMetricRoutes(app, loaded, { ...joined, update: () => channel?.latestStatus() });
  const { maintain } = manual;
  const leaving = new AbortController();
  const pruning = { store, settings, paths, commits, maintain, leaving: leaving.signal };
  registerPruneApi(app, { gate, prune: createPruneService(pruning) });
  const access = joined.access.book;
  const streams = { store, commits, selfUpdate, gate, log, health, access };
  leaving.signal.addEventListener('abort', registerLiveStreams(app, streams));
  return {
    start() {
      reports.start();
      schedule.start();
      foreign.start();
    },
    /** First of all in a stop, which must not wait for those who only listen or wait. */
    endStreams: () => leaving.abort(),
    closeSchedule: () => schedule.close(),
    close: () => Promise.all([reports.close(), foreign.close()]),
  };
}
