import { allowsImage } from './image-pattern.ts';
import type { ImageReference } from './image-reference.ts';
import type { StoredHook } from './stored-hook.ts';

/** Whether a hook may report for a unit that runs this image, with its tag: it names the unit, or none, and a pattern that fits, or none. */
export function mayReport(
  { units, images }: Pick<StoredHook, 'units' | 'images'>,
  unit: string,
  image: ImageReference,
): boolean {
  if (units.length > 0 && !units.includes(unit)) return false;
  return images.length === 0 || images.some((pattern) => allowsImage(pattern, image));
}
