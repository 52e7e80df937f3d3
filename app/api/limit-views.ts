import * as z from 'zod';
import type { Answer } from './answer.ts';

const count = z.int().min(0);
const unixSeconds = z.int().describe('Seconds since 1970, as the earlier program has them.');
const bucket = z
  .string()
  .describe('The image in lower case, with `_` for what is none of a-z 0-9 . _ -');

/** The images that are held by deployments, and how often each was deployed. */
export const imageLocksView = z
  .strictObject({
    now: unixSeconds,
    locks: z
      .array(
        z
          .strictObject({
            bucket,
            acquired_at: unixSeconds,
            age_secs: count,
            ...{ image: z.string(), unit: z.string(), task_id: z.string() },
          })
          .meta({ id: 'ImageLock', description: 'An image that a running task deploys.' }),
      )
      .describe('The latest first.'),
    limit: z
      .strictObject({ count, window_secs: count })
      .describe('How often deliveries may have one image deployed.'),
    limits: z.array(
      z
        .strictObject({
          bucket,
          used: count.describe('How often it was, in the window that ends now.'),
          waiting: count.describe('How many tasks wait for it.'),
          free_at: unixSeconds.nullable().describe('When it may be again; null: now.'),
        })
        .meta({ id: 'ImageLimit', description: 'How often an image was deployed lately.' }),
    ),
  })
  .meta({ id: 'ImageLocks' });
/** The images that are held by deployments, and how often each was deployed. */
export type ImageLocksView = Answer<typeof imageLocksView>;

/** Parameters of `DELETE /api/image-locks/NAME`. */
export const imageLockParams = z.strictObject({ name: z.string().min(1).max(300) });

/** That an image may be deployed again. */
export const imageLockReleaseView = z
  .strictObject({
    bucket,
    removed: z.literal(true),
    rows: count.describe('How many deployments are forgotten.'),
    begun: count.describe('How many tasks waited for that.'),
    held_by: z
      .string()
      .nullable()
      .describe('The task that deploys the image now, and goes on to hold it; null: none.'),
  })
  .meta({ id: 'ImageLockRelease' });
/** That an image may be deployed again. */
export type ImageLockReleaseView = Answer<typeof imageLockReleaseView>;
