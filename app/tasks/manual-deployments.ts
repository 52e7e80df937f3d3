import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { PlanView } from '../api/views.ts';
import type { Store } from '../db/store.ts';
import { type PlanParts, planDeployment } from '../deploy/plan-deployment.ts';
import {
  comparePlans,
  describeDifferences,
  median,
  type Steps,
} from '../domain/deployment-plan.ts';
import { formatImageReference, parseImageReference } from '../domain/image-reference.ts';
import { parseWantedVersion } from '../domain/wanted-version.ts';
import { newIdentifier } from '../intake/new-identifier.ts';

const PLAN_LIFE_MS = 600_000;
/** By so many deployments of the unit the time is told for which it will be down. */
const HISTORY = 5;

/** What a person asks for, and who it is. */
export type ManualRequest = {
  readonly unit: string;
  /** See `parseWantedVersion`; absent: what the unit's own tag means. */
  readonly version?: string | undefined;
  readonly reason?: string | undefined;
  readonly by: string;
  readonly requestId: string;
  readonly path: string;
};

/** Deployments that a person asks for. */
export type ManualDeployments = {
  /** What a deployment would do now; kept for ten minutes under its id. Touches nothing. */
  plan(request: Pick<ManualRequest, 'unit' | 'version'>): Promise<Outcome<PlanView>>;
  /** Makes a task of a wish; its id. */
  start(request: ManualRequest): string;
  /** Makes a task of a plan, if it would be the same now: PLAN_NOT_FOUND, or PLAN_CHANGED with what is different. */
  carryOut(
    planId: string,
    request: Omit<ManualRequest, 'unit' | 'version'>,
  ): Promise<Outcome<string>>;
};

type Parts = {
  readonly store: Store;
  readonly planParts: Omit<PlanParts, 'memory'>;
  /** The name by which a unit runs its image, as far as that is known. */
  readonly imageOf: (unit: string) => string | null;
  /** There is a new task. */
  readonly onTask: () => void;
};

type KeptPlan = { readonly version: string | null; readonly steps: Steps };

/** Joins them to the store and the host. */
export function createManualDeployments({
  store,
  planParts,
  imageOf,
  onTask,
}: Parts): ManualDeployments {
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

  const start = (request: ManualRequest, planned?: Steps): string => {
    const id = makeTask(store, request, planned, planned?.image ?? imageOf(request.unit));
    onTask();
    return id;
  };

  return {
    start: (request) => start(request),
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
        return succeed(start({ ...request, unit: row.unit, version: exact }, planned));
      });
    },
  };
}

function makeTask(
  store: Store,
  { unit, version, by, reason, requestId, path }: ManualRequest,
  planned: Steps | undefined,
  image: string | null,
): string {
  const id = newIdentifier('tsk');
  const what = version ?? 'what its tag means';
  store.transact(() => {
    store.tasks.insert({
      ...{ id, kind: 'manual', unit, image, created_at: Date.now() },
      summary: `${unit} is to run ${what}.`,
      ...{ trigger_source: 'manual', trigger_request_id: requestId, trigger_path: path },
      ...{ trigger_caller: by, trigger_reason: reason ?? null, webhook_digest: null },
      wanted: version ?? null,
      plan: planned ? JSON.stringify(planned) : null,
    });
    store.taskLogs.append({
      ...{ task_id: id, ts: Date.now(), level: 'info', action: 'task-created' },
      ...{ summary: `${by} asked for ${what}.`, meta: null },
    });
  });
  return id;
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
