import * as z from 'zod';
import type { Answer } from './answer.ts';
import { planView } from './deployment-views.ts';

const words = z.string().nullable();

/** What stands in the answer to every manual call. */
const call = {
  dry_run: z.boolean(),
  caller: words,
  reason: words,
  task_id: words.describe('The one task that was made; null where none was, or several.'),
  batch_id: words.describe('The tasks that were made together; null where that is one, or none.'),
  request_id: z.string(),
};

/** What a restart would do; nothing is pulled for it. */
const restartPlanView = z
  .strictObject({
    unit: z.string(),
    running_digest: words,
    running_image: words,
    commands: z.array(z.array(z.string())).describe('In their order, each an argument list.'),
    restarts: z.array(z.string()),
    proof: z.array(z.string()).describe('What the unit has to prove, in words.'),
    brings: words.describe(
      'The image that its name means here by now, where that is not the one that runs.',
    ),
  })
  .meta({ id: 'RestartPlan' });

const status = z
  .enum(['pending', 'dry-run', 'already-running', 'error'])
  .describe('error: a dry run finds that it could not be done.');

/** One unit of a call. */
const one = {
  unit: z.string(),
  status,
  message: z.string(),
  task_id: words,
};

/** What `POST /api/manual/trigger` answers. */
export const triggerView = z
  .strictObject({
    ...call,
    triggered: z.array(z.strictObject({ ...one, plan: restartPlanView.nullable() })),
  })
  .meta({ id: 'Triggered' });

/** What `POST /api/manual/trigger` answers. */
export type TriggerView = Answer<typeof triggerView>;

/** What `POST /api/manual/deploy` answers. */
export const deployView = z
  .strictObject({
    ...call,
    deploying: z.array(z.strictObject({ ...one, plan: planView.nullable(), image: words })),
    skipped: z.array(
      z.strictObject({ unit: z.string(), status: z.literal('skipped'), message: z.string() }),
    ),
  })
  .meta({ id: 'Deploying' });

/** What `POST /api/manual/deploy` answers. */
export type DeployView = Answer<typeof deployView>;

const service = {
  ...call,
  ...one,
  plan: z.union([restartPlanView, planView]).nullable(),
  image: words,
};

/** What `POST /api/manual/auto-update/run` answers. */
export const autoUpdateView = z.strictObject(service).meta({ id: 'AutoUpdateRun' });

/** What `POST /api/manual/auto-update/run` answers. */
export type AutoUpdateView = Answer<typeof autoUpdateView>;

/** What `POST /api/manual/services/SLUG` answers: with what is to be used in its place. */
export const oldServiceView = z
  .strictObject({ ...service, deprecated: z.literal(true), replacement: z.string() })
  .meta({ id: 'OldService' });

/** What `POST /api/manual/services/SLUG` answers. */
export type OldServiceView = Answer<typeof oldServiceView>;

/** What `POST /api/manual/services/SLUG/upgrade` answers: with what the words for the image came to. */
export const upgradeView = z
  .strictObject({ ...service, base_image: words, target_image: words })
  .meta({ id: 'Upgrade' });

/** What `POST /api/manual/services/SLUG/upgrade` answers. */
export type UpgradeView = Answer<typeof upgradeView>;

/** What stands in the answer to every manual call. */
export type ManualCallView = Pick<AutoUpdateView, keyof typeof call>;

/** One unit of a call, `P` being what would be done with it. */
export type ManualUnitView<P> = Pick<AutoUpdateView, keyof typeof one> & {
  readonly plan: P | null;
};
