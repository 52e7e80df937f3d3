import type { Failure } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';

/** What a registry answered longer ago says nothing of today. */
const RECENT_MS = 24 * 3_600_000;

/**
 * What the newest answers of registries say, as they were stored by the last look for updates and with tasks: the latest
 * failure that no answer has followed. Asks nobody.
 */
export function findRegistryFailure(
  store: Pick<Store, 'attention'>,
  nowMs: number,
): Failure | undefined {
  const [refusal] = store.attention.listRefusals(nowMs - RECENT_MS, 1);
  if (refusal) return { code: refusal.code, detail: `${refusal.image}: ${refusal.detail}`.trim() };
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
