import * as z from 'zod';
import { CREDENTIAL_KINDS } from '../domain/failed-credentials.ts';
import { type Answer, moment } from './answer.ts';

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

const window = { count, window_secs: count };

const credentialTallyView = z
  .strictObject({
    kind: z.enum(CREDENTIAL_KINDS).describe('What they were to open.'),
    address: z
      .string()
      .describe('An IPv4 address, the /64 of an IPv6 address, or `*` for all together.'),
    failed: count.describe('Since its window began.'),
    refused: count.describe('Those of them that were told to come later.'),
    last_at: moment.nullable(),
    limited_until: moment.nullable().describe('Until when it is told so; null: it is not.'),
    known: z
      .boolean()
      .describe(
        'A good one has come from there within a day, so good ones are taken all the time.',
      ),
  })
  .meta({ id: 'CredentialTally', description: 'How often credentials have failed.' });

/** All limits with what is counted for each. */
export const limitsView = z
  .strictObject({
    auto_update: z
      .strictObject({
        windows: z.array(z.strictObject({ ...window, used: count })),
        free_at: moment.nullable().describe('When it is let through again; null: now.'),
      })
      .describe('Of POST /auto-update.'),
    images: z
      .strictObject(window)
      .describe('How often deliveries have one image deployed, see GET /api/image-locks.'),
    credentials: z.strictObject({
      ...{ per_address: count, total: count, window_secs: count },
      totals: z.array(credentialTallyView),
      addresses: z.array(credentialTallyView).describe('The latest first, at most 500.'),
    }),
    connections: z
      .strictObject({
        ...{ max: count, max_per_address: count },
        open: z.strictObject({ fresh: count, idle: count, receiving: count, answering: count }),
        addresses: z
          .array(z.strictObject({ address: z.string(), open: count }))
          .describe('Those with the most, at most ten.'),
        cut: z
          .strictObject({
            ...{ total: count, address: count },
            ...{ slow_head: count, slow_body: count, slow_reader: count },
          })
          .describe('How many were ended before their time since the start, and why.'),
        cut_at: moment.nullable().describe('When the last one was; null: none was.'),
      })
      .nullable()
      .describe('Null where no service runs.'),
  })
  .meta({ id: 'Limits' });
/** All limits with what is counted for each. */
export type LimitsView = Answer<typeof limitsView>;

/** Parameters of `DELETE /api/limits/addresses/ADDRESS`. */
export const limitedAddressParams = z.strictObject({ address: z.string().min(1).max(100) });

/** That a limit begins anew. */
export const limitReleaseView = z
  .strictObject({ name: z.string(), released: count.describe('How much was counted for it.') })
  .meta({ id: 'LimitRelease' });
