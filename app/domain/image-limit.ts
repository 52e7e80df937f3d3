/** What of a task says whether the limit of its image concerns it. */
export type LimitedTask = {
  readonly trigger_source: string;
  readonly image: string | null;
  readonly attempts: number;
};

/** What tells the buckets of images from others of the same table. */
export const IMAGE_BUCKET = 'image:';

/**
 * The name of the bucket of an image, the same as in the earlier program of this name: in lower case, whatever is none of
 * `a-z 0-9 . _ -` as `_`, without any at its ends; `default` where nothing is left. A name of a bucket is its own.
 */
export function bucketName(image: string): string {
  const plain = image
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  return plain === '' ? 'default' : plain;
}

/**
 * The bucket in which a task takes a place when it begins; undefined for one that no limit holds up: what a person or the
 * clock wants, what has begun already (its unit may have to be brought back), and what nobody knows the image of.
 */
export function bucketOf({ trigger_source, image, attempts }: LimitedTask): string | undefined {
  const isLimited = trigger_source === 'webhook' && attempts === 0 && image !== null;
  return isLimited ? `${IMAGE_BUCKET}${bucketName(image)}` : undefined;
}
