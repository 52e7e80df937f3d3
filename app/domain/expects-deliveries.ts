import { allowsImage } from './image-pattern.ts';
import type { ImageReference } from './image-reference.ts';
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
  const { action, units, images } = hook;
  if (action !== 'deploy' || refuseHook(hook, nowMs)) return false;
  if (units.length > 0 && !units.includes(unit)) return false;
  if (images.length === 0) return units.length > 0;
  return image !== undefined && images.some((pattern) => allowsImage(pattern, image));
}
