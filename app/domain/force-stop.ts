import type { OpenDeployment } from './deployment.ts';
import type { TaskPhase, TaskStatus } from './task.ts';

/** What is known of a task at the moment in which it is ended by force. */
export type CutOff = {
  readonly unit: string;
  readonly status: TaskStatus;
  readonly phase: TaskPhase;
  /** What it has begun to do with its unit; undefined where it has not touched it, or is through. */
  readonly deployment: OpenDeployment | undefined;
  /** The other host at which it works. */
  readonly target: string | undefined;
};

/** Says in which state a task that is killed may leave its unit, and what brings it back. */
export function describeCutOff(cutOff: CutOff): string {
  const { unit, phase, status, deployment, target } = cutOff;
  const away =
    target === undefined || status === 'pending'
      ? ''
      : ` What was under way at ${target} ends with its connection.`;
  if (!deployment) {
    return status === 'pending'
      ? `${unit} was not touched: the task was force-stopped before it began.`
      : `${unit} was not restarted: the task was force-stopped in phase ${phase}.${away}`;
  }
  const { stage, image, wanted_digest: wanted, former_digest: former } = deployment;
  const where =
    stage === 'back' ? `put back to ${former ?? 'nothing'}` : `brought to ${image} (${wanted})`;
  return [
    `The task was force-stopped in phase ${phase}, while ${unit} was being ${where}.`,
    'The unit may be down, or run either image; nothing was done about that.',
    describeWayBack(deployment),
  ]
    .join(' ')
    .concat(away);
}

function describeWayBack({ unit, held_as: held, dependents }: OpenDeployment): string {
  const back =
    held === null
      ? 'No earlier image is held for it.'
      : `What it can go back to is held: pod-upgrade-trigger deploy ${unit} --to ${held} brings it back.`;
  if (dependents.length === 0) return back;
  return `${back} Active before were also: ${dependents.join(', ')}.`;
}
