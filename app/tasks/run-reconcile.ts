import { expectedImage, reconcile } from '../domain/reconcile.ts';
import { listRunning } from '../host/running-images.ts';
import { endFailed, type MaintenanceEnd, type MaintenanceParts } from './maintenance-parts.ts';

/** A task whose time has come is begun within seconds, unless all places are taken. */
const WAITS_LONG_MS = 3_600_000;
const MAX_WAITING = 1_000;

/**
 * Compares what the units run with what was deployed to them, by one question of podman, and looks for tasks that nobody
 * begins. It tells; it changes nothing: what a person has started by hand is theirs.
 */
export async function runReconcile(parts: MaintenanceParts): Promise<MaintenanceEnd> {
  const { store, host, note } = parts;
  const listed = await listRunning(host.run);
  if (!listed.ok) return endFailed('What runs could not be looked up', listed.failure);
  const byUnit = Map.groupBy(listed.value, ({ unit }) => unit);
  const known = new Set(
    parts
      .updates()
      .known.all()
      .map(({ unit }) => unit),
  );
  let compared = 0;
  let differing = 0;
  for (const last of store.deployments.listLast()) {
    if (!known.has(last.unit)) continue;
    const running = byUnit.get(last.unit) ?? [];
    const found = reconcile(last, running);
    if (found === 'unknown' || found === 'not-running') continue;
    compared++;
    if (found === 'as-deployed') continue;
    differing++;
    note(
      'warning',
      'reconcile',
      `${last.unit} does not run what ${last.taskId} has left it with.`,
      {
        ...{ unit: last.unit, task_id: last.taskId, expected: expectedImage(last) },
        running: running.map(({ imageId, imageName }) => ({ imageId, imageName })),
      },
    );
  }
  const since = Date.now() - WAITS_LONG_MS;
  const waiting = store.tasks
    .listDispatchable(MAX_WAITING, Date.now())
    .filter(({ updated_at }) => updated_at < since);
  for (const { id, unit } of waiting) {
    note('warning', 'reconcile', `${id} of ${unit} waits although its time has come.`, {
      id,
      unit,
    });
  }
  const others = waiting.length === 0 ? '' : ` ${waiting.length} tasks wait for long.`;
  return {
    status: 'succeeded',
    summary: `Of ${compared} units ${differing} do not run what was deployed.${others}`,
  };
}
