import type { DeploymentRow } from '../db/deployments.ts';
import type { Store } from '../db/store.ts';
import type { TaskRun } from '../db/tasks.ts';
import type { DeployMemory } from '../deploy/deploy-memory.ts';
import type { OpenDeployment } from '../domain/deployment.ts';

/** `writeEnd` writes what `end` has said, in the transaction that ends the task: neither is there without the other. */
export type TaskMemory = DeployMemory & { writeEnd(): void };

/**
 * What a deployment remembers, in the database, for one attempt at a task. What it writes when the task has ended, or
 * another attempt has taken its place, throws: whoever writes must not go on.
 */
export function openMemory(store: Store, run: TaskRun): TaskMemory {
  const { id } = run;
  let ended: OpenDeployment | undefined;
  const write = ({ dependents, ...deployment }: OpenDeployment) => {
    if (!store.tasks.isCurrent(run)) throw new Error(`attempt ${run.attempts} at ${id} is over`);
    store.deployments.save({
      ...deployment,
      task_id: id,
      dependents: JSON.stringify(dependents),
      updated_at: Date.now(),
    });
    store.deployments.endAbandoned(deployment.unit, id);
  };
  const save = (deployment: OpenDeployment) => store.transact(() => write(deployment));
  return {
    find: () => readDeployment(store.deployments.find(id)),
    findAbandoned: (unit) => readDeployment(store.deployments.findAbandoned(unit, id)),
    isNeeded: (imageId) => store.deployments.isNeeded(imageId, id),
    save,
    end: (deployment) => {
      ended = { ...deployment, stage: 'ended' };
    },
    writeEnd: () => {
      if (ended) write(ended);
    },
    condemn: (deployment, bad, forMs) =>
      store.transact(() => {
        const at = Date.now();
        write(deployment);
        store.quarantine.add({ ...bad, at, expires_at: forMs === null ? null : at + forMs });
      }),
    findBad: (unit, digest) => store.quarantine.find(unit, digest, Date.now()),
    isProven: (unit, imageId) => store.deployments.isProven(unit, imageId),
    firstSeen: (unit, digest) => store.sightings.note(unit, digest, Date.now()),
  };
}

/** A deployment as it is stored, read. */
export function readDeployment(row: DeploymentRow | undefined): OpenDeployment | undefined {
  return row && { ...row, dependents: JSON.parse(row.dependents) as string[] };
}
