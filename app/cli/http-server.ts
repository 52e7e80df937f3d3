import type { Logger } from 'pino';
import { type Loaded, loadSettings } from '../../shared/config/load-settings.ts';
import { hashFile, programFile } from '../../shared/config/program-file.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { fail, formatFailure, type Outcome } from '../../shared/contract/outcome.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { type HeldLock, lockFileWithin } from '../../shared/fs/lock-file.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { listenLocally } from '../http/local-server.ts';
import { openSupervisorChannel, type SupervisorChannel } from '../updates/supervisor-channel.ts';
import type { WorkerParts, WorkerProcess } from '../worker.ts';
import { printFaults } from './print-faults.ts';
import { describeAddress, explainFailure, listen, watchStop } from './serving.ts';

/** What `http-server` was called with. */
export type HttpServerOptions = {
  /** An inherited, bound socket; the supervisor's. */
  readonly listenFd?: number;
  /** Where to listen when run alone; overrides PODUP_HTTP_ADDR. */
  readonly httpAddr?: string;
  /** A new version that has to prove itself: names its program file, and begins no task before the supervisor says so. */
  readonly trial?: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly program: readonly [string, ...string[]];
  readonly startWorker: (parts: WorkerParts) => Promise<Outcome<WorkerProcess>>;
};

/** A worker that lost its supervisor is gone in half a second. */
const LOCK_WITHIN_MS = 5_000;

/**
 * `http-server`: the worker. Under a supervisor it serves the inherited socket and says when it is ready; alone it
 * binds its own. Ends on SIGTERM or SIGINT, or when its supervisor is gone, after it has served what had arrived.
 */
export async function httpServer(options: HttpServerOptions): Promise<ExitCode> {
  const stop = watchStop();
  const channel = openSupervisorChannel();
  const result = loadSettings(withAddress(options));
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  const { settings, warnings, secrets } = result.loaded;
  const log = createLogger({ name: 'http-server', level: settings.logLevel, secrets });
  for (const warning of warnings) log.warn(warning);
  if (!settings.webhookSecret) log.warn('PODUP_GH_WEBHOOK_SECRET is not set: webhooks are refused');
  if (!settings.adminToken)
    log.warn('PODUP_TOKEN is not set: only tokens that were made open the API');

  const started = await start(options, result.loaded, log, channel);
  if (!started.ok) return explainFailure(started.failure, log);
  const worker = started.value;
  const { schema } = worker;
  log.info({ ...PROGRAM, address: describeAddress(worker.app.server), schema }, 'serving');
  const digest = options.trial ? await hashFile(programFile()) : null;
  channel?.send({ kind: 'worker-ready', version: PROGRAM.version, schema, digest });
  log.info({ reason: await stop.requested }, 'stopping');
  await worker.stop(stop.orphaned);
  log.info('stopped');
  return EXIT.ok;
}

function withAddress({ environment, httpAddr }: HttpServerOptions): NodeJS.ProcessEnv {
  return httpAddr === undefined ? environment : { ...environment, PODUP_HTTP_ADDR: httpAddr };
}

async function start(
  options: HttpServerOptions,
  loaded: Loaded,
  log: Logger,
  channel: SupervisorChannel | undefined,
): Promise<Outcome<WorkerProcess>> {
  const { environment, program, trial = false } = options;
  const locked = await takeState(loaded);
  if (!locked.ok) return locked;
  const started = await options.startWorker({
    loaded,
    log,
    environment,
    program,
    isTrial: trial,
    ...(channel && { channel }),
    onDeath: (error) => {
      log.fatal({ err: error }, 'the thread that writes the database has died');
      process.exit(EXIT.failure);
    },
  });
  if (!started.ok) return started;
  const worker = started.value;
  const at = options.listenFd ?? loaded.settings.httpAddr;
  const listening = await listen(worker.app.server, at);
  if (listening.ok) {
    const local = await listenLocally(worker.local, loaded.paths.serviceSocket);
    // Webhooks do not depend on it.
    if (!local.ok) log.warn({ code: local.failure.code }, formatFailure(local.failure));
    return started;
  }
  await worker.stop();
  return listening;
}

/**
 * Two workers at one database would both dispatch its tasks. The lock is held until this process ends; one that is on
 * its way out is waited for.
 */
function takeState({ paths }: Loaded): Promise<Outcome<HeldLock>> | Outcome<never> {
  try {
    for (const folder of [paths.dataDir, paths.intakeDir]) makeDirectoryDurably(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return fail('STATE_DIR_UNUSABLE', `${paths.stateDir}: ${code}.`);
  }
  return lockFileWithin(paths.workerLock, LOCK_WITHIN_MS);
}
