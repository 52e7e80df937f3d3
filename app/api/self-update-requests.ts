import * as z from 'zod';

const reason = z.string().min(1).max(500).optional();

/** Body of `POST /api/self-update/run`. */
export const runBody = z.strictObject({
  dry_run: z.boolean().default(false),
  tag: z.string().min(1).max(200).optional(),
  force: z.boolean().default(false),
  reason,
});

/** Body of `POST /api/self-update/rollback`. */
export const rollbackBody = z.strictObject({
  version: z.string().min(1).max(100),
  restore_database: z.boolean().default(false),
  reason,
});

/** Body of `POST /api/self-update/cancel`, `hold` and `resume`. */
export const reasonBody = z.strictObject({ reason });

/** Body of `POST /api/self-update/check`. */
export const emptyBody = z.strictObject({});

/** Query of `GET /api/self-update/history`; `cursor` is `next_cursor` of the page before. */
export const updateHistoryQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,16}\.upd_[0-9a-z]{1,40}$/)
    .optional(),
});
