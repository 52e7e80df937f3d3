import * as z from 'zod';
import { type Answer, moment, pageOf } from './answer.ts';

const words = z.string().nullable();
const count = z.int().min(0);
const limit = z.coerce.number().int().min(1).max(500).default(50);
const word = z.string().min(1).max(200);
const time = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: 'expected a time such as 2030-01-31T12:00:00Z, or a date, which begins in UTC',
});

/** What was made of a delivery. */
const DELIVERY_VERDICTS = ['accepted', 'ignored', 'duplicate', 'ping'] as const;

/** Query of `GET /api/deliveries`; `cursor` is `next_cursor` of the page before. */
export const deliveriesQuery = z.strictObject({
  hook: word.optional(),
  source: word.optional(),
  unit: z.string().min(1).max(255).optional(),
  verdict: z.enum(DELIVERY_VERDICTS).optional(),
  reason: word.optional(),
  from: time.optional(),
  to: time.optional(),
  limit,
  cursor: z
    .string()
    .regex(/^\d{1,16}\.[\w-]{1,100}$/, 'expected next_cursor of the page before')
    .optional(),
});
/** A query that was read. */
export type DeliveriesQuery = z.output<typeof deliveriesQuery>;

/** Query of the lists that are numbered. */
export const numberedQuery = z.strictObject({
  limit,
  cursor: z.coerce.number().int().min(1).optional(),
});

/** Parameters of what is about one delivery. */
export const deliveryParams = z.strictObject({ id: z.string().min(1).max(100) });

const fields = {
  id: z.string(),
  received_at: moment,
  source: z.string().describe('What kind of sender it was.'),
  hook: words.describe('The hook that let it in; null on the path that is a unit’s own.'),
  delivery: z.string().describe('What its sender calls it; the same again when it is repeated.'),
  event: z.string(),
  unit: z.string().describe('Empty where it concerns none.'),
  verdict: z.enum(DELIVERY_VERDICTS),
  reason: words.describe('Why it was ignored: one of a closed list, see docs/errors.md.'),
  detail: words,
  image: words,
  matched: words.describe('`tag` where it names the tag of the unit, `repository` where others.'),
  digest: words,
  superseded_by: words.describe(
    'The digest that a later delivery has announced for the same task; null: none.',
  ),
  task: z.strictObject({ task_id: z.string(), status: z.string() }).nullable(),
  replay_of: words.describe('The delivery that was done anew with this one.'),
  replayed_by: words,
};

/** A delivery in a list. */
export const listedDeliveryView = z.strictObject(fields).meta({ id: 'ListedDelivery' });
/** A delivery in a list. */
export type ListedDeliveryView = Answer<typeof listedDeliveryView>;

/** A page of `GET /api/deliveries`. */
export const deliveryPageView = pageOf('deliveries', listedDeliveryView, 'DeliveryPage');
/** A page of `GET /api/deliveries`. */
export type DeliveryPageView = Answer<typeof deliveryPageView>;

/** One delivery with everything that is kept of it. */
export const deliveryDetailView = z
  .strictObject({
    ...fields,
    meaning: words.describe('What the reason means.'),
    path: z.string(),
    remote_address: z.string(),
    needs_proof: z
      .boolean()
      .describe('What it says has to be found at the registry before anything is deployed.'),
    headers: z.record(z.string(), z.string()).nullable().describe('Nothing secret.'),
    understood: z.looseObject({}).nullable().describe('What it says was pushed.'),
    body: z.strictObject({
      bytes: count,
      sha256: z.string(),
      kept: z.boolean().describe('Only then it can be replayed.'),
      text: words.describe('The beginning of it, without what is secret; null: it is not kept.'),
      cut: z.boolean(),
    }),
    others: z.array(listedDeliveryView).describe('What else the same delivery came to.'),
    replays: z.array(z.string()).describe('What it came to when it was replayed.'),
  })
  .meta({ id: 'DeliveryDetail' });
/** One delivery with everything that is kept of it. */
export type DeliveryDetailView = Answer<typeof deliveryDetailView>;

/** What became of a delivery that was done anew. */
export const replayedView = z
  .strictObject({
    replay_of: z.string(),
    deliveries: z.array(
      z.strictObject({
        delivery: z.string(),
        unit: z.string(),
        verdict: z.enum(DELIVERY_VERDICTS),
        reason: words,
      }),
    ),
  })
  .meta({ id: 'ReplayedDelivery' });
/** What became of a delivery that was done anew. */
export type ReplayedView = Answer<typeof replayedView>;

const refusedView = z
  .strictObject({
    id: count,
    first_at: moment,
    last_at: moment,
    address: z.string().describe('An IPv6 address counts with its /64.'),
    path: z.string(),
    code: z.string(),
    reason: words.describe('Why a hook was not opened; its sender is not told.'),
    count: count.describe('So many within a minute; those that were too many are under `others`.'),
    body_bytes: count.nullable(),
    body: words.describe('The beginning of the first of them, without what is secret.'),
  })
  .meta({ id: 'RefusedDelivery' });

/** A page of `GET /api/deliveries/refused`. */
export const refusedPageView = pageOf('refused', refusedView, 'RefusedDeliveryPage');
/** A page of `GET /api/deliveries/refused`. */
export type RefusedPageView = Answer<typeof refusedPageView>;

const missedView = z
  .strictObject({
    id: count,
    found_at: moment,
    found_by: z.string(),
    unit: z.string(),
    image: z.string(),
    former_digest: words,
    digest: z.string(),
    task_id: words,
  })
  .meta({ id: 'MissedDelivery' });

/** A page of `GET /api/deliveries/missed`. */
export const missedPageView = z
  .strictObject({
    missed: z.array(missedView),
    total: count.describe('How often that has happened, ever.'),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'MissedDeliveryPage' });
/** A page of `GET /api/deliveries/missed`. */
export type MissedPageView = Answer<typeof missedPageView>;
