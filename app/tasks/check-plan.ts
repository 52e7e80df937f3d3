import { type Failure, fail } from '../../shared/contract/outcome.ts';
import type { TaskRow } from '../db/tasks.ts';
import { type PlanParts, planDeployment } from '../deploy/plan-deployment.ts';
import { comparePlans, describeDifferences, type Steps } from '../domain/deployment-plan.ts';

/**
 * Whether what a person was shown is what would be done now, looked at when the task begins, for it may have waited: null
 * where it is, else PLAN_CHANGED with what is different, or what keeps it from being looked at.
 */
export async function checkPlan(
  parts: PlanParts,
  { unit, plan, wanted }: Pick<TaskRow, 'unit' | 'plan' | 'wanted'>,
): Promise<Failure | null> {
  if (plan === null) return null;
  const version = wanted === null ? {} : { version: wanted };
  const now = await planDeployment(parts, { unit, isManual: true, ...version });
  if (!now.ok) return now.failure;
  const differences = comparePlans(JSON.parse(plan) as Steps, now.value);
  if (differences.length === 0) return null;
  return fail('PLAN_CHANGED', describeDifferences(differences)).failure;
}
