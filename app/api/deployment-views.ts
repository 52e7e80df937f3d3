import * as z from 'zod';
import { PLAN_OUTCOMES } from '../domain/deployment-plan.ts';
import { type Answer, moment } from './answer.ts';

const words = z.string().nullable();

/** What a deployment would do, for ten minutes under its id. */
export const planView = z
  .strictObject({
    plan_id: z.string(),
    expires_at: moment,
    version: words.describe("What was asked for in place of the unit's own tag."),
    expected_down_ms: z
      .int()
      .min(0)
      .nullable()
      .describe('The middle of how long the unit was down in its last deployments.'),
    from_deployments: z.int().min(0).describe('From how many deployments that is known.'),
    unit: z.string(),
    image: z.string(),
    wanted_digest: z.string(),
    running_digest: words,
    running_image: words,
    outcome: z.enum(PLAN_OUTCOMES),
    why: z.string(),
    commands: z.array(z.array(z.string())).describe('In their order, each an argument list.'),
    restarts: z
      .array(z.string())
      .describe('What is restarted, first, and what systemd stops together with it.'),
    proof: z.array(z.string()).describe('What the unit has to prove, in words.'),
    writes: words.describe('What the Quadlet file says afterwards; null: no file is edited.'),
  })
  .meta({ id: 'Plan' });
/** What a deployment would do, for ten minutes under its id. */
export type PlanView = Answer<typeof planView>;

/** A task that was made. */
export const startedTaskView = z.strictObject({ task_id: z.string() }).meta({ id: 'StartedTask' });

/** Tasks that were made, one for each unit. */
export const startedTasksView = z
  .strictObject({
    batch_id: z.exactOptional(z.string()),
    tasks: z.array(z.strictObject({ unit: z.string(), task_id: z.string() })),
  })
  .meta({ id: 'StartedTasks' });
