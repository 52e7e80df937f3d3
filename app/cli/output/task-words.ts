import type { TaskStatus } from '../../domain/task.ts';
import type { Tone } from './screen.ts';

/** Said of a new task where no service runs. */
export const WAITS_FOR_SERVICE = 'The service does not run: the task begins when it does.';

const TONES: Readonly<Record<TaskStatus, Tone>> = {
  pending: 'faint',
  running: 'busy',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'faint',
  skipped: 'faint',
  unknown: 'bad',
  anomaly: 'bad',
};

/** The colour of a task's state. */
export function toneOf(status: string): Tone | undefined {
  return TONES[status as TaskStatus];
}

/** Whether a task that was begun is followed: where it was said, else where a person looks at a terminal. */
export function wantsToFollow({
  follow,
  json,
}: {
  readonly follow?: boolean | undefined;
  readonly json?: boolean | undefined;
}): boolean {
  return follow ?? (process.stdout.isTTY && !json);
}
