import type { ErrorMeaning } from './error-meaning.ts';

/** What can be wrong with a task itself; see `ERRORS`. */
export const TASK_ERRORS = {
  TASK_NOT_FOUND: {
    status: 404,
    sentence: 'There is no task with this id.',
    hint: 'GET /api/tasks lists them.',
  },
  TASK_ENDED: {
    status: 409,
    sentence: 'The task has ended, so there is nothing to stop.',
    hint: 'GET /api/tasks/ID shows how it ended.',
  },
  TASK_DISPATCH_FAILED: {
    status: 500,
    sentence: 'The task could not be started.',
    hint: 'The detail shows what systemd-run or the child process said.',
  },
  TASK_LOST: {
    status: 500,
    sentence: 'The process of the task ended without a result, too often to try again.',
    hint: 'Look at the journal of the unit podup-task-ID; redeliver the webhook to try again.',
  },
} as const satisfies Record<string, ErrorMeaning>;
