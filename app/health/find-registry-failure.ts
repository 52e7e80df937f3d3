import type { Failure } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';

/** What a registry answered longer ago says nothing of today. */
const RECENT_MS = 24 * 3_600_000;

/**
 * What the newest answers of registries, as they were recorded with tasks, say: the failure of the latest one that was not
 * followed by an answer for the same unit. Asks nobody.
 */
export function findRegistryFailure(
  store: Pick<Store, 'attention'>,
  nowMs: number,
): Failure | undefined {
  const [newest] = store.attention
    .listFailed(RECENT_LIMIT)
    .filter(
      ({ error_code, finished_at }) =>
        error_code?.startsWith('REGISTRY_') && (finished_at ?? 0) > nowMs - RECENT_MS,
    );
  if (!newest?.error_code) return undefined;
  const { unit, error_code: code, error_detail } = newest;
  return { code, detail: `${unit}: ${error_detail ?? ''}`.trim() };
}

const RECENT_LIMIT = 200;
