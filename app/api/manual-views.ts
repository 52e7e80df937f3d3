import * as z from 'zod';
import type { Answer } from './answer.ts';
import { planView } from './deployment-views.ts';

const words = z.string().nullable();

/** What a restart would do; nothing is pulled for it. */
const restartPlanView = z
  .strictObject({
    unit: z.string(),
    running_digest: words,
    running_image: words,
    brings: words.describe(
      'The image that the name of the unit means here by now, where that is not the one it runs.',
    ),
    commands: z.array(z.array(z.string())),
    restarts: z.array(z.string()),
    proof: z.array(z.string()),
  })
  .meta({ id: 'RestartPlan' });

/** What became of one unit of a call; `error` where a dry run finds that it could not be done. */
const manualStatus = z.enum(['pending', 'dry-run', 'already-running', 'error']);

const callFields = {
  dry_run: z.boolean(),
  caller: words,
  reason: words,
  task_id: words.describe('The one task that was made; null where none was, or several.'),
  batch_id: words.describe('The tasks that were made together; null where that is one, or none.'),
  request_id: z.string(),
};
const callView = z.strictObject(callFields);
/** What stands in the answer to every manual call. */
export type ManualCallView = Answer<typeof callView>;

const unitFields = {
  unit: z.string(),
  status: manualStatus,
  message: z.string(),
  task_id: words,
};
const ABOUT_PLAN = 'What would be done; null where it is done, or cannot be.';

/** One unit of a call. */
export type ManualUnitView<P> = Answer<z.ZodObject<typeof unitFields>> & {
  /** What would be done; null where it is done, or cannot be. */
  readonly plan: P | null;
};

/** What `POST /api/manual/trigger` answers. */
export const triggerView = z
  .strictObject({
    ...callFields,
    triggered: z.array(
      z.strictObject({ ...unitFields, plan: restartPlanView.nullable().describe(ABOUT_PLAN) }),
    ),
  })
  .meta({ id: 'Triggered' });
/** What `POST /api/manual/trigger` answers. */
export type TriggerView = Answer<typeof triggerView>;

/** What `POST /api/manual/deploy` answers. */
export const deployView = z
  .strictObject({
    ...callFields,
    deploying: z.array(
      z.strictObject({
        ...unitFields,
        plan: planView.nullable().describe(ABOUT_PLAN),
        image: words,
      }),
    ),
    skipped: z.array(
      z.strictObject({ unit: z.string(), status: z.literal('skipped'), message: z.string() }),
    ),
  })
  .meta({ id: 'Deploying' });
/** What `POST /api/manual/deploy` answers. */
export type DeployView = Answer<typeof deployView>;

const serviceFields = {
  ...callFields,
  ...unitFields,
  plan: z.union([planView, restartPlanView]).nullable().describe(ABOUT_PLAN),
  image: words,
};

/** What `POST /api/manual/services/SLUG` answers: the first of its names, and what is to be used in its place. */
export const oldServiceView = z
  .strictObject({ ...serviceFields, deprecated: z.literal(true), replacement: z.string() })
  .meta({ id: 'ServiceCall' });
/** What `POST /api/manual/services/SLUG` answers. */
export type OldServiceView = Answer<typeof oldServiceView>;

/** What `POST /api/manual/services/SLUG/upgrade` answers, with what the words for the image came to. */
export const upgradeView = z
  .strictObject({ ...serviceFields, base_image: words, target_image: words })
  .meta({ id: 'Upgrade' });
/** What `POST /api/manual/services/SLUG/upgrade` answers. */
export type UpgradeView = Answer<typeof upgradeView>;

/** What `POST /api/manual/auto-update/run` answers. */
export const autoUpdateView = z.strictObject(serviceFields).meta({ id: 'AutoUpdateRun' });
/** What `POST /api/manual/auto-update/run` answers. */
export type AutoUpdateView = Answer<typeof autoUpdateView>;
