import type { RestartSteps } from '../domain/deployment-plan.ts';
import type { PlanView } from './deployment-views.ts';

/** What became of one unit of a call; `error` where a dry run finds that it could not be done. */
export type ManualStatus = 'pending' | 'dry-run' | 'already-running' | 'error';

/** What stands in the answer to every manual call. */
export type ManualCallView = {
  readonly dry_run: boolean;
  readonly caller: string | null;
  readonly reason: string | null;
  /** The one task that was made; null where none was, or several. */
  readonly task_id: string | null;
  /** The tasks that were made together; null where that is one, or none. */
  readonly batch_id: string | null;
  readonly request_id: string;
};

/** One unit of a call. */
export type ManualUnitView<P> = {
  readonly unit: string;
  readonly status: ManualStatus;
  readonly message: string;
  readonly task_id: string | null;
  /** What would be done; null where it is done, or cannot be. */
  readonly plan: P | null;
};

/** What `POST /api/manual/trigger` answers. */
export type TriggerView = ManualCallView & {
  readonly triggered: readonly ManualUnitView<RestartSteps>[];
};

/** What `POST /api/manual/deploy` answers. */
export type DeployView = ManualCallView & {
  readonly deploying: readonly (ManualUnitView<PlanView> & { readonly image: string | null })[];
  readonly skipped: readonly {
    readonly unit: string;
    readonly status: 'skipped';
    readonly message: string;
  }[];
};

/** What `POST /api/manual/services/SLUG` and `/upgrade`, and `POST /api/manual/auto-update/run`, answer. */
export type ServiceView = ManualCallView &
  ManualUnitView<RestartSteps | PlanView> & { readonly image: string | null };

/** The first of them names what is to be used in its place. */
export type OldServiceView = ServiceView & {
  readonly deprecated: true;
  readonly replacement: string;
};

/** The second tells what the words for the image came to. */
export type UpgradeView = ServiceView & {
  readonly base_image: string | null;
  readonly target_image: string | null;
};
