import { join } from 'node:path';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { SecretMask } from '../../shared/log/secret-mask.ts';
import { openStore, type TableName } from '../db/store.ts';
import type { TaskRow, TaskRun } from '../db/tasks.ts';
import { longestDeploymentMs } from '../domain/deployment.ts';
import { isTaskId } from '../domain/identifier.ts';
import type { RateWindow } from '../domain/rate-window.ts';
import type { Host } from '../host/host.ts';
import { openHost } from '../host/open-host.ts';
import { createLookUp, openLookUpConnections } from '../tasks/create-look-up.ts';
import { imageLimitOf } from '../tasks/limit-rate.ts';
import { openUpdateWork } from '../tasks/open-update-work.ts';
import { createPullLocks } from '../tasks/pull-locks.ts';
import { type RunTaskParts, runTask } from '../tasks/run-task.ts';
import { sharePodmanInfo } from '../tasks/shared-podman-info.ts';
import { takeNext } from '../tasks/take-next.ts';
import { WAKE_SIGNAL } from '../tasks/task-executor.ts';
import { createUnitLocks } from '../tasks/unit-locks.ts';

/** After that a process begins no further task: one that runs for long is one for one task. */
const TAKES_ON_FOR_MS = 10_000;

/** What every task reads and writes; the worker that has begun it has found the others in order. */
const NEEDED: readonly TableName[] = ['tasks', 'taskLogs', 'deployments', 'quarantine'];

/**
 * `run-task ID ATTEMPT`: carries out one dispatched task, and what waits then. SIGTERM, or the end of the worker whose child it is, gives the task
 * back.
 */
export async function runTaskCommand(
  attempt: TaskRun,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  // Before anything else: unheard the signal ends the process.
  process.on(WAKE_SIGNAL, () => undefined);
  if (!isTaskId(attempt.id) || !Number.isSafeInteger(attempt.attempts)) {
    process.stderr.write('That is not the id of a task and the number of an attempt.\n');
    return EXIT.usage;
  }
  const result = loadSettings(environment);
  if (!result.ok) {
    process.stderr.write(`${result.faults.join('\n')}\n`);
    return EXIT.configInvalid;
  }
  const { settings, paths, secrets } = result.loaded;
  const log = createLogger({ name: 'run-task', level: settings.logLevel, secrets });
  const program = { version: PROGRAM.version, nowMs: Date.now() };
  const store = openStore(paths.database, program, { needed: NEEDED });
  if (!store.ok) {
    log.error({ code: store.failure.code }, formatFailure(store.failure));
    return EXIT.failure;
  }
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'disconnect'] as const) {
    process.once(signal, () => ending.abort());
  }
  const { signal } = ending;
  const host = openHost(settings, environment, {
    readInfo: sharePodmanInfo(paths.dataDir, environment),
    sockets: 'all',
  });
  if (!host.ok) {
    log.error({ code: host.failure.code }, formatFailure(host.failure));
    store.value.close();
    return EXIT.failure;
  }
  const hidden = new SecretMask(secrets);
  const connections = openLookUpConnections(host.value, settings.registryTimeoutMs, signal);
  const lookUp = createLookUp(host.value, settings.registryTimeoutMs, signal, {
    onSecret: (secret) => hidden.add(secret),
    answers: store.value.registryAnswers,
    connections,
  });
  const onWake = (look: () => void) => void process.on(WAKE_SIGNAL, look);
  // Who pulls on another host is not kept apart here.
  const lockPull =
    settings.sshTarget === undefined
      ? { lockPull: createPullLocks(join(paths.dataDir, 'pulls'), signal) }
      : {};
  const unitsFolder = join(paths.dataDir, 'units');
  const lockUnits = createUnitLocks(unitsFolder, longestDeploymentMs(settings), signal);
  const common = {
    ...{ store: store.value, log, settings, paths, host: host.value },
    ...{ lookUp, lockUnits, signal, onWake },
    updates: (cut: Host) =>
      openUpdateWork({ settings, paths }, store.value, cut, (secret) => hidden.add(secret)),
    mask: (text: string) => hidden.mask(text),
  };
  const parts = { ...common, ...lockPull };
  const first = store.value.tasks.find(attempt.id);
  const taken = await runTask(parts, attempt);
  process.removeAllListeners(WAKE_SIGNAL).on(WAKE_SIGNAL, () => undefined);
  if (taken && first) await runFurther(parts, first, imageLimitOf(settings));
  await connections.close();
  await host.value.close();
  store.value.close();
  process.disconnect?.();
  return taken ? EXIT.ok : EXIT.failure;
}

/** Takes on what waits, one task after the other, for the first seconds of the life of the process. */
async function runFurther(parts: RunTaskParts, first: TaskRow, limit: RateWindow): Promise<void> {
  while (!parts.signal.aborted && performance.now() < TAKES_ON_FOR_MS) {
    const next = takeNext(parts.store, first, limit, Date.now());
    if (!next) return;
    await runTask(parts, next);
    process.removeAllListeners(WAKE_SIGNAL).on(WAKE_SIGNAL, () => undefined);
  }
}
