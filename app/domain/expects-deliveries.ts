import type { ImageReference } from './image-reference.ts';
import { mayReport } from './may-report.ts';
import { refuseHook, type StoredHook } from './stored-hook.ts';

/**
 * Whether deliveries for a unit are expected because of a hook: one that is open, deploys, and names the unit or a pattern of
 * images that its own is of. One that names neither may report anything, and says of no unit that it will.
 */
export function expectsDeliveries(
  hook: StoredHook,
  unit: string,
  image: ImageReference | undefined,
  nowMs: number,
): boolean {
  if (hook.action !== 'deploy' || refuseHook(hook, nowMs)) return false;
  if (hook.images.length === 0) return hook.units.includes(unit);
  return image !== undefined && mayReport(hook, unit, image);
}
