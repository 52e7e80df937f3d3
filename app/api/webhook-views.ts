import * as z from 'zod';
import { IGNORED_REASONS, type IgnoredReason } from '../domain/delivery-verdict.ts';

const reasons = Object.keys(IGNORED_REASONS) as [IgnoredReason, ...IgnoredReason[]];

/** Parameters of `POST /github-package-update/UNIT`. */
export const serviceParams = z.strictObject({
  service: z.string().describe('The name of a service, with or without `.service`.'),
});

const common = {
  delivery: z.string(),
  unit: z.string(),
  request_id: z.string(),
};

/** What became of a delivery with a good signature. */
export const receivedView = z
  .discriminatedUnion('verdict', [
    z.strictObject({
      verdict: z.literal('accepted'),
      image: z.exactOptional(z.string()),
      matched: z.enum(['tag', 'repository']),
      digest: z.exactOptional(z.string()),
      ...common,
    }),
    z.strictObject({
      verdict: z.literal('ignored'),
      reason: z.enum(reasons),
      detail: z.string(),
      ...common,
    }),
    z.strictObject({ verdict: z.literal('ping'), ...common }),
    z.strictObject({
      verdict: z.literal('duplicate'),
      of: z.string().describe('The delivery that this one repeats.'),
      ...common,
    }),
  ])
  .meta({ id: 'Received' });
