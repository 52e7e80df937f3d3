import type { RunCommand } from '../../shared/process/run-command.ts';
import type { TaskRow } from '../db/tasks.ts';
import { anyOf } from '../deploy/until-stopped.ts';
import type { TaskInput } from '../domain/task-input.ts';
import type { MaintenanceEnd, MaintenanceParts } from './maintenance-parts.ts';
import { runMaintenance } from './run-maintenance.ts';
import type { RunTaskParts } from './run-task.ts';

type Parts = Pick<RunTaskParts, 'store' | 'settings' | 'paths' | 'host' | 'updates' | 'signal'>;

/** Carries out a task that is about no single unit; undefined where it is about one. What `stop` or `signal` cuts off is cancelled. */
export function runMaintenanceTask(
  parts: Parts,
  task: TaskRow,
  stop: AbortSignal,
): Promise<MaintenanceEnd> | undefined {
  const input = JSON.parse(task.input ?? '{}') as Partial<TaskInput>;
  if (!input.maintenance) return undefined;
  const { store, settings, paths } = parts;
  const signal = anyOf(parts.signal, stop);
  const run: RunCommand = (command) =>
    parts.host.run({ ...command, signal: anyOf(signal, command.signal) });
  const host = { ...parts.host, run };
  const updates = () => parts.updates(host);
  const note: MaintenanceParts['note'] = (level, action, summary, meta) => {
    const entry = { ...{ level, action, summary }, meta: JSON.stringify(meta) };
    store.taskLogs.append({ task_id: task.id, ts: Date.now(), ...entry });
  };
  return runMaintenance(
    {
      taskId: task.id,
      isByPerson: task.trigger_source === 'manual',
      store,
      host,
      settings,
      paths,
      updates,
      signal,
      note,
    },
    { ...input, maintenance: input.maintenance },
  );
}
