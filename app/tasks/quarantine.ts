import type { QuarantinedImageView } from '../api/views.ts';
import type { QuarantineRow } from '../db/quarantined-images.ts';
import type { Store } from '../db/store.ts';
import { describeError } from './task-view.ts';

/** The images that are left alone because they failed, the latest first. */
export function listQuarantine(store: Store, nowMs: number): readonly QuarantinedImageView[] {
  return store.quarantine.list(nowMs).map(toView);
}

function toView(row: QuarantineRow): QuarantinedImageView {
  return {
    unit: row.unit,
    digest: row.digest,
    image: row.image,
    error: describeError(row.code, row.detail),
    count: row.count,
    first_at: new Date(row.first_at).toISOString(),
    last_at: new Date(row.last_at).toISOString(),
    timer_guard: row.guard,
    expires_at: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
  };
}
