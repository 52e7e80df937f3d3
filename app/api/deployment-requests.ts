import * as z from 'zod';

/** Body of `POST /api/deployments`: a wish, a look at what would come of it (`dry_run`), or a plan to carry out. */
export const deploymentBody = z.union([
  z.strictObject({
    unit: z.string().min(1).max(255),
    version: z.string().min(1).max(512).optional(),
    dry_run: z.boolean().default(false),
    reason: z.string().min(1).max(500).optional(),
  }),
  z.strictObject({
    plan_id: z.string().regex(/^pln_[0-9a-z]{19}$/),
    reason: z.string().min(1).max(500).optional(),
  }),
]);
