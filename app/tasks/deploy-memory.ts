import type { DeploymentRow } from '../db/deployments.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import type { DeployMemory } from '../deploy/deploy-memory.ts';
import type { OpenDeployment } from '../domain/deployment.ts';

/** `writeEnd` writes what `end` has said, in the transaction that ends the task: neither is there without the other. */
export type TaskMemory = DeployMemory & { writeEnd(): void };

/** What a deployment remembers, in the database, for one task. */
export function openMemory(store: Store, { id }: Pick<TaskRow, 'id'>): TaskMemory {
  let ended: OpenDeployment | undefined;
  const write = ({ dependents, ...deployment }: OpenDeployment) => {
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
    find: () => read(store.deployments.find(id)),
    findAbandoned: (unit) => read(store.deployments.findAbandoned(unit, id)),
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

function read(row: DeploymentRow | undefined): OpenDeployment | undefined {
  return row && { ...row, dependents: JSON.parse(row.dependents) as string[] };
}
