import * as z from 'zod';

/** Parameters of `POST /api/schedule/JOB/run`. */
export const scheduleRunParams = z.strictObject({ job: z.string().min(1).max(100) });

/** Its body. */
export const scheduleRunBody = z.strictObject({ reason: z.string().min(1).max(500).optional() });
