import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ImageLockReleaseView, ImageLocksView } from '../api/limit-views.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { bucketName, IMAGE_BUCKET } from '../domain/image-limit.ts';
import { type RateWindow, untilAllowed } from '../domain/rate-window.ts';

type Tables = Pick<Store, 'tasks' | 'taskLogs' | 'rateLimits' | 'transact'>;

/** More images than these are not told of at once. */
const MAX_BUCKETS = 500;
const MAX_WAITING = 10_000;

/**
 * Which images are held by a deployment, and how often deliveries have had each deployed. A lock is the task that runs, or that
 * something may be left of: what is none of these holds nothing.
 */
export function viewImageLocks(store: Tables, limit: RateWindow, nowMs: number): ImageLocksView {
  const locks = listHolders(store).map(({ id, unit, image, dispatched_at: at, created_at }) => ({
    bucket: bucketName(image),
    acquired_at: seconds(at ?? created_at),
    age_secs: Math.max(0, seconds(nowMs - (at ?? created_at))),
    ...{ image, unit, task_id: id },
  }));
  const tokens = store.rateLimits.listLike(
    IMAGE_BUCKET,
    nowMs - limit.windowMs,
    MAX_BUCKETS * limit.count,
  );
  const waiting = countWaiting(store);
  const limits = [...Map.groupBy(tokens, ({ bucket }) => bucket.slice(IMAGE_BUCKET.length))]
    .slice(0, MAX_BUCKETS)
    .map(([bucket, taken]) => {
      const waitMs = untilAllowed(
        taken.map(({ at }) => at),
        [limit],
        nowMs,
      );
      return {
        ...{ bucket, used: taken.length, waiting: waiting.get(bucket) ?? 0 },
        free_at: waitMs === 0 ? null : Math.ceil((nowMs + waitMs) / 1000),
      };
    });
  return {
    now: seconds(nowMs),
    locks: locks.sort((a, b) => b.acquired_at - a.acquired_at || (a.bucket < b.bucket ? -1 : 1)),
    limit: { count: limit.count, window_secs: limit.windowMs / 1000 },
    limits,
  };
}

/**
 * Forgets how often an image was deployed, and lets begin what waits for that. What a running deployment holds stays held: two
 * at one unit would be worse than none. Fails with IMAGE_LOCK_NOT_FOUND, and with IMAGE_LOCK_HELD where there is nothing else
 * to release.
 */
export function releaseImageLock(
  store: Tables,
  name: string,
  nowMs: number,
): Outcome<ImageLockReleaseView> {
  const bucket = bucketName(name);
  return store.transact(() => {
    const rows = store.rateLimits.release(`${IMAGE_BUCKET}${bucket}`);
    const waiting = listWaiting(store).filter((task) => bucketName(task.image) === bucket);
    for (const { id } of waiting) {
      store.tasks.hasten(id, nowMs);
      store.taskLogs.append({
        ...{ task_id: id, ts: nowMs, level: 'info', action: 'image-limit-released' },
        ...{ summary: 'The limit of its image was released; it need not wait for it.', meta: null },
      });
    }
    const holder = listHolders(store).find(({ image }) => bucketName(image) === bucket);
    if (rows + waiting.length > 0) {
      const heldBy = holder ? holder.id : null;
      return succeed({ bucket, removed: true, rows, begun: waiting.length, held_by: heldBy });
    }
    if (!holder) return fail('IMAGE_LOCK_NOT_FOUND', `${bucket}.`);
    return fail('IMAGE_LOCK_HELD', `${holder.id} deploys ${holder.image} to ${holder.unit}.`);
  });
}

type OfImage = TaskRow & { readonly image: string };

function listHolders({ tasks }: Tables): OfImage[] {
  return [...tasks.listRunning(), ...tasks.listUnkilled()].filter(hasImage);
}

function listWaiting({ tasks }: Tables): OfImage[] {
  return tasks.listWaiting('image-limit', MAX_WAITING).filter(hasImage);
}

function countWaiting(store: Tables): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { image } of listWaiting(store)) {
    const bucket = bucketName(image);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return counts;
}

function hasImage(task: TaskRow): task is OfImage {
  return task.image !== null;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
