import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { type Loaded, loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatHttpAddress, type HttpAddress } from '../../shared/contract/http-address.ts';
import {
  type Failure,
  fail,
  formatFailure,
  type Outcome,
  succeed,
} from '../../shared/contract/outcome.ts';
import type { WorkerNotice } from '../../shared/contract/worker-messages.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { openStore } from '../db/store.ts';
import type { WorkerParts, WorkerProcess } from '../worker.ts';
import { printFaults } from './print-faults.ts';

/** What `http-server` was called with. */
export type HttpServerOptions = {
  /** An inherited, bound socket; the supervisor's. */
  readonly listenFd?: number;
  /** Where to listen when run alone; overrides PODUP_HTTP_ADDR. */
  readonly httpAddr?: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly program: readonly [string, ...string[]];
  readonly createWorker: (parts: WorkerParts) => WorkerProcess;
};

/** Connections that wait in the kernel while no worker accepts; the kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;

/**
 * `http-server`: the worker. Under a supervisor it serves the inherited socket and says when it is ready; alone it
 * binds its own. Ends on SIGTERM or SIGINT, or when its supervisor is gone, after it has served what had arrived.
 */
export async function httpServer(options: HttpServerOptions): Promise<ExitCode> {
  // Listened to from the first moment: a stop during the start must not be lost.
  const stopRequested = waitForStop();
  const result = loadSettings(withAddress(options));
  if (!result.ok) {
    printFaults(result.faults);
    return EXIT.configInvalid;
  }
  const { settings, warnings, secrets } = result.loaded;
  const log = createLogger({ name: 'http-server', level: settings.logLevel, secrets });
  for (const warning of warnings) log.warn(warning);
  if (!settings.webhookSecret) log.warn('PODUP_GH_WEBHOOK_SECRET is not set: webhooks are refused');
  if (!settings.adminToken) log.warn('PODUP_TOKEN is not set: the admin API is closed');

  const started = await start(options, result.loaded, log);
  if (!started.ok) return explain(started.failure, log);
  const { worker, schema } = started.value;
  log.info({ ...PROGRAM, address: describeAddress(worker.app), schema }, 'serving');
  sayReady({ kind: 'worker-ready', version: PROGRAM.version, schema, digest: null });
  log.info({ reason: await stopRequested }, 'stopping');
  await worker.stop();
  log.info('stopped');
  process.disconnect?.();
  return EXIT.ok;
}

function withAddress({ environment, httpAddr }: HttpServerOptions): NodeJS.ProcessEnv {
  return httpAddr === undefined ? environment : { ...environment, PODUP_HTTP_ADDR: httpAddr };
}

function waitForStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const reason of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
      process.on(reason, () => resolve(reason));
    }
  });
}

async function start(
  options: HttpServerOptions,
  loaded: Loaded,
  log: Logger,
): Promise<Outcome<{ worker: WorkerProcess; schema: number }>> {
  const { paths, settings } = loaded;
  try {
    makeDirectoryDurably(paths.intakeDir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return fail('STATE_DIR_UNUSABLE', `${paths.intakeDir}: ${code}.`);
  }
  const store = openStore(paths.database, { version: PROGRAM.version, nowMs: Date.now() });
  if (!store.ok) return store;
  const { environment, program } = options;
  const worker = options.createWorker({
    loaded,
    store: store.value,
    log,
    environment,
    program,
    onDeath: (error) => {
      log.fatal({ err: error }, 'the thread that writes the database has died');
      process.exit(EXIT.failure);
    },
  });
  await worker.app.ready();
  await worker.recover();
  const listening = await listen(worker.app, options.listenFd ?? settings.httpAddr);
  if (!listening.ok) {
    await worker.stop();
    return listening;
  }
  return succeed({ worker, schema: store.value.schema });
}

async function listen(app: FastifyInstance, at: number | HttpAddress): Promise<Outcome<void>> {
  try {
    const where = typeof at === 'number' ? { fd: at } : at;
    app.server.listen({ ...where, backlog: BACKLOG });
    await once(app.server, 'listening');
    return succeed(undefined);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const where = typeof at === 'number' ? `descriptor ${at}` : formatHttpAddress(at);
    return fail('SOCKET_UNAVAILABLE', `${where}: ${code}.`);
  }
}

function describeAddress(app: FastifyInstance): string {
  const address = app.server.address();
  if (typeof address !== 'object' || address === null) return String(address);
  return formatHttpAddress({ host: address.address, port: address.port });
}

function sayReady(notice: WorkerNotice): void {
  process.send?.(notice);
}

/** A schema that forbids this program, like a wrong configuration, is not cured by starting again. */
function explain(failure: Failure, log: Logger): ExitCode {
  const line = formatFailure(failure);
  log.fatal({ code: failure.code }, line);
  process.stderr.write(`${line}\n`);
  if (failure.code === 'DATABASE_SCHEMA_NEWER') return EXIT.configInvalid;
  return failure.code === 'SOCKET_UNAVAILABLE' ? EXIT.socketUnavailable : EXIT.failure;
}
