import type { Settings } from '../../shared/config/settings.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { checkUserManager } from '../host/systemctl.ts';
import type { TaskExecutor } from './task-executor.ts';

/**
 * Makes the function that picks what runs the next task. `auto` takes a transient unit where there is a user manager;
 * once it has been seen it is not asked for again.
 */
export function createExecutorChoice(
  setting: Settings['taskExecutor'],
  executors: { readonly systemdRun: TaskExecutor; readonly child: TaskExecutor },
  run: RunCommand,
): () => Promise<TaskExecutor> {
  let hasManager = false;
  return async () => {
    if (setting === 'systemd-run') return executors.systemdRun;
    if (setting === 'child') return executors.child;
    hasManager ||= (await checkUserManager(run)).ok;
    return hasManager ? executors.systemdRun : executors.child;
  };
}
