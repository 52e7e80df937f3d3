import * as z from 'zod';

/** Body of `POST /api/schedule/JOB/run`. */
export const scheduleRunBody = z.strictObject({ reason: z.string().min(1).max(500).optional() });
