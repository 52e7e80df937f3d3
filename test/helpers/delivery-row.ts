import type { DeliveryRow } from '../../app/db/deliveries.ts';

/** A row of the deliveries table, as `over` changes it: one for web.service over its own path. */
export function deliveryRow(over: Partial<DeliveryRow> = {}): DeliveryRow {
  return {
    id: 'dlv_1',
    received_at: 1,
    source: 'github',
    delivery: 'guid',
    event: 'package',
    path: '/github-package-update/web',
    remote_address: '127.0.0.1',
    unit: 'web.service',
    verdict: 'accepted',
    reason: null,
    detail: null,
    image: null,
    matched: 'tag',
    digest: null,
    body_sha256: '0',
    body_bytes: 2,
    task_id: null,
    hook: null,
    reception: null,
    headers: null,
    understood: null,
    needs_proof: 0,
    ...{ replay_of: null, replayed_by: null },
    ...over,
  };
}
