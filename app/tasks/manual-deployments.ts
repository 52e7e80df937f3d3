import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { PlanView } from '../api/deployment-views.ts';
import { type PlanParts, planDeployment } from '../deploy/plan-deployment.ts';
import { lookAtRestart } from '../deploy/restart-unit.ts';
import {
  comparePlans,
  describeDifferences,
  median,
  type RestartSteps,
  type Steps,
} from '../domain/deployment-plan.ts';
import { formatImageReference, parseImageReference } from '../domain/image-reference.ts';
import { parseWantedVersion } from '../domain/wanted-version.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import type { Asker } from './make-manual-task.ts';
import {
  createManualTasks,
  type ManualRequest,
  type ManualTaskParts,
  type ManualTasks,
} from './manual-tasks.ts';

const PLAN_LIFE_MS = 600_000;
/** By so many deployments of the unit the time is told for which it will be down. */
const HISTORY = 5;

/** Deployments that a person asks for. */
export type ManualDeployments = ManualTasks & {
  /** What a deployment would do now; kept for ten minutes under its id. Touches nothing. */
  plan(request: Pick<ManualRequest, 'unit' | 'version'>): Promise<Outcome<PlanView>>;
  /** What a restart would do now. Touches nothing. */
  planRestart(unit: string): Promise<Outcome<RestartSteps>>;
  /** The unit of a plan whose time is not over. */
  unitOfPlan(planId: string): string | undefined;
  /** Makes a task of a plan, if it would be the same now: PLAN_NOT_FOUND, or PLAN_CHANGED with what is different. */
  carryOut(planId: string, request: Asker): Promise<Outcome<string>>;
};

type Parts = ManualTaskParts & { readonly planParts: Omit<PlanParts, 'memory'> };

type KeptPlan = { readonly version: string | null; readonly steps: Steps };

/** Joins them to the store and the host. */
export function createManualDeployments(parts: Parts): ManualDeployments {
  const { store, planParts } = parts;
  const tasks = createManualTasks(parts);
  const memory: PlanParts['memory'] = {
    findBad: (unit, image) => store.quarantine.find(unit, image, Date.now()),
    isProven: (unit, imageId) => store.deployments.isProven(unit, imageId),
    firstSeen: (unit, digest) => store.sightings.find(unit, digest) ?? Date.now(),
  };

  const look = (unit: string, version: string | undefined) =>
    planDeployment(
      { ...planParts, memory },
      { unit, isManual: true, ...(version !== undefined && { version }) },
    );

  return {
    ...tasks,
    async plan({ unit, version }) {
      const steps = await look(unit, version);
      if (!steps.ok) return steps;
      const now = Date.now();
      const row = {
        id: newIdentifier('pln'),
        unit,
        created_at: now,
        expires_at: now + PLAN_LIFE_MS,
      };
      const kept: KeptPlan = { version: version ?? null, steps: steps.value };
      store.transact(() => store.plans.add({ ...row, body: JSON.stringify(kept) }));
      const downs = store.deployments.listDowns(unit, HISTORY);
      return succeed({
        plan_id: row.id,
        expires_at: new Date(row.expires_at).toISOString(),
        version: kept.version,
        ...steps.value,
        expected_down_ms: median(downs),
        from_deployments: downs.length,
      });
    },
    unitOfPlan: (planId) => store.plans.find(planId, Date.now())?.unit,
    planRestart: (unit) => lookAtRestart(planParts, unit),
    async carryOut(planId, request) {
      const row = store.plans.find(planId, Date.now());
      if (!row) return fail('PLAN_NOT_FOUND', '');
      const { version, steps: planned } = JSON.parse(row.body) as KeptPlan;
      const now = await look(row.unit, version ?? undefined);
      if (!now.ok) return now;
      const differences = comparePlans(planned, now.value);
      if (differences.length > 0) {
        return fail('PLAN_CHANGED', describeDifferences(differences));
      }
      // Exactly what was planned, whatever the tag means by then; what is held here has no digest at a registry.
      const isHere = version?.startsWith('localhost/') || planned.image.startsWith('localhost/');
      const exact = isHere ? (version ?? undefined) : nameExactly(planned, version);
      return store.transact(() => {
        // Once: a plan that is carried out has changed the world.
        if (!store.plans.remove(planId)) return fail('PLAN_NOT_FOUND', '');
        return succeed(tasks.start({ ...request, unit: row.unit, version: exact, planned }));
      });
    },
  };
}

/** With the tag that was chosen, for the record and for the file of the unit. */
function nameExactly({ image, wanted_digest: digest }: Steps, version: string | null): string {
  const reference = parseImageReference(image);
  const wanted = reference && version !== null ? parseWantedVersion(version, reference) : undefined;
  const tag = wanted && 'tag' in wanted ? wanted.tag : undefined;
  return reference && tag !== undefined
    ? formatImageReference({ ...reference, tag, digest })
    : digest;
}
