import { join } from 'node:path';
import { getuid } from 'node:process';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { formatFailure } from '../../shared/contract/outcome.ts';
import { createLogger } from '../../shared/log/create-logger.ts';
import { openStore } from '../db/store.ts';
import type { TaskRun } from '../db/tasks.ts';
import type { DeployParts } from '../deploy/deploy-unit.ts';
import { anyOf } from '../deploy/until-stopped.ts';
import { isTaskId } from '../domain/identifier.ts';
import { lookUpDigest } from '../registry/look-up-digest.ts';
import { authFileCandidates } from '../registry/read-credentials.ts';
import { parseRegistryRules } from '../registry/registry-rules.ts';
import { createPullLocks } from '../tasks/pull-locks.ts';
import { runTask } from '../tasks/run-task.ts';
import { WAKE_SIGNAL } from '../tasks/task-executor.ts';

/**
 * `run-task ID ATTEMPT`: carries out one dispatched task. SIGTERM, or the end of the worker whose child it is, gives the task
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
  const store = openStore(paths.database, { version: PROGRAM.version, nowMs: Date.now() });
  if (!store.ok) {
    log.error({ code: store.failure.code }, formatFailure(store.failure));
    return EXIT.failure;
  }
  const ending = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'disconnect'] as const) {
    process.once(signal, () => ending.abort());
  }
  const { signal } = ending;
  const lookUp = createLookUp(environment, settings.registryTimeoutMs, signal);
  const lockPull = createPullLocks(join(paths.dataDir, 'pulls'), signal);
  const onWake = (look: () => void) => void process.on(WAKE_SIGNAL, look);
  const taken = await runTask(
    { store: store.value, log, settings, lookUp, lockPull, signal, onWake },
    attempt,
  );
  process.removeAllListeners(WAKE_SIGNAL).on(WAKE_SIGNAL, () => undefined);
  store.value.close();
  process.disconnect?.();
  return taken ? EXIT.ok : EXIT.failure;
}

function createLookUp(
  environment: NodeJS.ProcessEnv,
  timeoutMs: number,
  signal: AbortSignal,
): DeployParts['lookUp'] {
  const authFiles = authFileCandidates({ ...environment, uid: getuid?.() ?? 0 });
  return (image, registries, cut) =>
    lookUpDigest(image, {
      registries: parseRegistryRules(registries),
      authFiles,
      timeoutMs,
      signal: anyOf(signal, cut),
      userAgent: `pod-upgrade-trigger/${PROGRAM.version}`,
    });
}
