import * as z from 'zod';
import { PRUNED } from '../domain/retention.ts';
import type { Answer } from './answer.ts';

const count = z.int().min(0);

/** Body of `POST /api/prune-state`. */
export const pruneBody = z.strictObject({
  max_age_hours: z
    .number()
    .positive()
    .max(876_600)
    .default(24)
    .describe('How old may be what is of use for hours only.'),
  dry_run: z.boolean().default(false),
  reason: z.string().min(1).max(500).optional(),
});

/** What was removed, or would be. */
export const pruneView = z
  .strictObject({
    dry_run: z.boolean(),
    max_age_hours: z.number(),
    task_retention_secs: count,
    tokens_removed: count.describe('Times of requests by which their rate is limited.'),
    locks_removed: count.describe('Locks that earlier programs have left.'),
    legacy_dirs_removed: count.describe('Folders that earlier programs have left.'),
    tasks_removed: count,
    removed: z
      .record(z.enum(PRUNED), count)
      .describe('All of it, by what it is; of a dry run what would go.'),
    freed_bytes: count.describe('Given back to the disk by the database.'),
    task_id: z.string().nullable().describe('The task that did it; null: none.'),
  })
  .meta({ id: 'Pruned' });
/** What was removed, or would be. */
export type PruneView = Answer<typeof pruneView>;
