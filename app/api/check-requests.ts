import * as z from 'zod';
import { UPDATE_STATUSES } from '../domain/update-verdict.ts';

const unit = z.string().min(1).max(255);

/** Body of `POST /api/update-checks`: an empty selection is none, and never all. */
export const checkBody = z
  .strictObject({
    units: z.array(unit).min(1).max(1_000).optional(),
    all: z.literal(true).optional(),
  })
  .refine(({ units, all }) => (units === undefined) !== (all === undefined), {
    error: 'name units, or set all to true; not both',
  });

/** Query of `GET /api/update-checks`. */
export const checksQuery = z.strictObject({
  unit: unit.optional(),
  status: z.enum(UPDATE_STATUSES).optional(),
});
