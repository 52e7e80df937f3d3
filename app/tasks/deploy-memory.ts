import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import type { DeployMemory } from '../deploy/deploy-memory.ts';
import type { OpenDeployment } from '../domain/deployment.ts';

/** `writeEnd` writes what `end` has said, in the transaction that ends the task: neither is there without the other. */
export type TaskMemory = DeployMemory & { writeEnd(): void };

/** What a deployment remembers, in the database, for one task. */
export function openMemory(store: Store, { id }: Pick<TaskRow, 'id'>): TaskMemory {
  let ended: OpenDeployment | undefined;
  const save: DeployMemory['save'] = ({ dependents, ...deployment }) =>
    store.deployments.save({
      ...deployment,
      task_id: id,
      dependents: JSON.stringify(dependents),
      updated_at: Date.now(),
    });
  return {
    find: () => {
      const row = store.deployments.find(id);
      return row && { ...row, dependents: JSON.parse(row.dependents) as string[] };
    },
    save,
    end: (deployment) => {
      ended = { ...deployment, stage: 'ended' };
    },
    writeEnd: () => {
      if (ended) save(ended);
    },
    condemn: (deployment, bad, forMs) =>
      store.transact(() => {
        const at = Date.now();
        save(deployment);
        store.quarantine.add({ ...bad, at, expires_at: forMs === null ? null : at + forMs });
      }),
    findBad: (unit, digest) => store.quarantine.find(unit, digest, Date.now()),
    firstSeen: (unit, digest) => store.sightings.note(unit, digest, Date.now()),
  };
}
