import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Loaded } from '../shared/config/load-settings.ts';
import { PROGRAM } from '../shared/config/program-version.ts';
import { runCommand } from '../shared/process/run-command.ts';
import type { Store } from './db/store.ts';
import { EventWriter } from './events/event-writer.ts';
import { createHealthCheck } from './host/health.ts';
import { readUnit } from './host/read-unit.ts';
import { createUnitCatalog } from './host/unit-catalog.ts';
import { createAdminGate } from './http/admin-gate.ts';
import { createApp } from './http/create-app.ts';
import { prepareDrain } from './http/drain.ts';
import { registerAdminApi } from './http/routes/admin-api.ts';
import { registerGithubWebhook } from './http/routes/github-webhook.ts';
import { registerHealth } from './http/routes/health.ts';
import { Intake } from './intake/intake.ts';
import { startRecorder } from './recorder/start-recorder.ts';
import { createChildExecutor } from './tasks/child-executor.ts';
import { createExecutorChoice } from './tasks/choose-executor.ts';
import { createSystemdRunExecutor } from './tasks/systemd-run-executor.ts';
import { TaskDispatcher } from './tasks/task-dispatcher.ts';
import { taskEnvironment } from './tasks/task-environment.ts';

/** What a worker is made of. */
export type WorkerParts = {
  readonly loaded: Loaded;
  readonly store: Store;
  readonly log: Logger;
  /** How this program is started again for a task. */
  readonly program: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** Told when a part that the worker cannot do without has died. */
  readonly onDeath: (error: Error) => void;
};

/** A worker: its application is ready to listen after `recover`. */
export type WorkerProcess = {
  readonly app: FastifyInstance;
  /** Takes over what was accepted and what was running before. */
  recover(): Promise<void>;
  /** Serves what has arrived, makes everything durable, and lets go. */
  stop(): Promise<void>;
};

/** Joins the parts of the worker. */
export function createWorker({ loaded, store, log, ...rest }: WorkerParts): WorkerProcess {
  const { settings, paths } = loaded;
  const dispatcher = createDispatcher({ loaded, store, log, ...rest });
  const recorder = startRecorder(
    {
      databasePath: paths.database,
      intakeDir: paths.intakeDir,
      version: PROGRAM.version,
    },
    log,
    rest.onDeath,
  );
  const intake = new Intake({
    folder: paths.intakeDir,
    store,
    startTaker: (onTaken) => recorder.startTaker(onTaken),
    onTasks: () => dispatcher.wake(),
  });
  const events = new EventWriter(recorder.events, log);
  const units = createUnitCatalog(settings.units, (unit) => readUnit(runCommand, unit));
  const app = createApp({ log, events });
  const drain = prepareDrain(app);
  const gate = createAdminGate(settings.adminToken);
  const secrets = [settings.webhookSecret, settings.webhookSecretPrevious].filter(
    (secret) => secret !== undefined,
  );
  registerGithubWebhook(app, {
    log,
    intake,
    units,
    secrets,
    maxBodyBytes: settings.webhookMaxBodyBytes,
  });
  registerAdminApi(app, { store, events, gate });
  registerHealth(app, {
    gate,
    check: createHealthCheck({
      run: runCommand,
      checkDatabase: () => store.check(),
      stateDir: paths.stateDir,
      minFreeBytes: settings.minFreeBytes,
    }),
  });
  return {
    app,
    async recover() {
      await intake.recover();
      await dispatcher.recover();
      // Known before the first webhook asks, but nothing waits for it.
      for (const unit of settings.units) void units.refresh(unit);
    },
    async stop() {
      // A part of the supervisor's own limit, so that it never has to kill us while we still write.
      await drain(settings.stopTimeoutMs / 2);
      await app.close();
      dispatcher.close();
      // Handed over first, for the recorder writes what it has when the intake closes it.
      events.flush();
      await intake.close();
      store.close();
    },
  };
}

function createDispatcher(parts: WorkerParts): TaskDispatcher {
  const { loaded, store, log, environment } = parts;
  const { settings, paths } = loaded;
  const program = {
    argv: parts.program,
    environment: taskEnvironment(settings, paths, environment),
  };
  const limitMs = settings.pullTimeoutMs + settings.restartTimeoutMs;
  const systemdRun = createSystemdRunExecutor(runCommand, program, limitMs);
  const child = createChildExecutor(program);
  return new TaskDispatcher({
    store,
    log,
    executors: [systemdRun, child],
    chooseExecutor: createExecutorChoice(settings.taskExecutor, { systemdRun, child }, runCommand),
    concurrency: settings.taskConcurrency,
  });
}
