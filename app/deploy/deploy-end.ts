import type { Failure } from '../../shared/contract/outcome.ts';
import type { DeployEnd } from './deploy-unit.ts';

/** The end of a deployment that did not come to a good one. */
export function failed(unit: string, failure: Failure, isDiagnosed = false): DeployEnd {
  const summary = `${unit} could not be updated: ${failure.code}.`;
  return { status: 'failed', summary, failure, isDiagnosed };
}
