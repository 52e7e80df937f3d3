import * as z from 'zod';

/** Parameters of `POST /api/schedule/JOB/run`. */
export const scheduleRunParams = z.strictObject({ job: z.string().min(1).max(100) });

/** Its body. */
export const scheduleRunBody = z.strictObject({
  reason: z.string().min(1).max(500).optional(),
  every_s: z
    .int()
    .min(1)
    .max(31_536_000)
    .optional()
    .describe('By a clock that comes so often: once for each such time, whoever else asks.'),
});
