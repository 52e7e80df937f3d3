import type { Logger } from 'pino';
import type { Loaded } from '../../shared/config/load-settings.ts';
import type { Store } from '../db/store.ts';
import { openLocalHost } from '../host/open-host.ts';
import { createChildExecutor } from './child-executor.ts';
import { createExecutorChoice } from './choose-executor.ts';
import { imageLimitOf } from './limit-rate.ts';
import type { CommitSource } from './live/commit-source.ts';
import { createSystemdRunExecutor, longestTaskMs } from './systemd-run-executor.ts';
import { TaskDispatcher } from './task-dispatcher.ts';
import { taskEnvironment } from './task-environment.ts';

/** What the dispatcher of a worker is made of. */
export type DispatcherParts = {
  readonly loaded: Loaded;
  readonly log: Logger;
  readonly store: Store;
  readonly commits: CommitSource;
  /** How this program is started again for a task. */
  readonly program: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** A new version that has not proven itself begins nothing. */
  readonly isTrial?: boolean;
  readonly onLost: NonNullable<ConstructorParameters<typeof TaskDispatcher>[0]['onLost']>;
};

const YOUNG_SPACE = '--min-semi-space-size';

/**
 * A task lives for seconds: with 16 MB for what is young from the begin it needs some 8 % less of the processor.
 */
function withYoungSpace([node, ...words]: DispatcherParts['program']): DispatcherParts['program'] {
  // A Node that does not know it would not start.
  const isKnown = process.versions.node.startsWith('26.');
  return isKnown ? [node, `${YOUNG_SPACE}=16`, ...words] : [node, ...words];
}

/** What runs the processes of tasks, and the way in which this host is asked for them. */
export function createExecutors({
  loaded: { settings, paths },
  environment,
  ...parts
}: Pick<DispatcherParts, 'loaded' | 'program' | 'environment'>) {
  const program = {
    argv: withYoungSpace(parts.program),
    environment: taskEnvironment(settings, paths, environment),
  };
  // A task runs here, wherever its unit does.
  const scope = settings.sshTarget === undefined ? settings.systemdScope : 'user';
  const { run } = openLocalHost(scope, environment);
  const systemdRun = createSystemdRunExecutor(run, program, longestTaskMs(settings));
  return { systemdRun, child: createChildExecutor(program), run };
}

/** The dispatcher with both ways to run a task. */
export function createDispatcher(parts: DispatcherParts): TaskDispatcher {
  const { loaded, log, store, commits, isTrial = false, onLost } = parts;
  const { settings } = loaded;
  const { systemdRun, child, run } = createExecutors(parts);
  return new TaskDispatcher({
    ...{ store, log, commits, onLost, isPaused: isTrial },
    executors: [systemdRun, child],
    chooseExecutor: createExecutorChoice(settings.taskExecutor, { systemdRun, child }, run),
    concurrency: settings.taskConcurrency,
    imageLimit: imageLimitOf(settings),
  });
}
