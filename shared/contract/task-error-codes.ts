import type { ErrorMeaning } from './error-meaning.ts';

/** What can be wrong with a task itself; see `ERRORS`. */
export const TASK_ERRORS = {
  AUTO_UPDATE_FAILED: {
    status: 502,
    sentence: 'The auto-update of podman did not do what it was to.',
    hint: 'The log of the task has what podman printed; each unit that failed has a task of its own.',
  },
  AUTO_UPDATE_ROLLED_BACK: {
    status: 502,
    sentence:
      'The unit did not start with the image that podman gave it, and podman put the former one back.',
    hint: 'The image is in quarantine for the unit, so that it is not tried again: pod-upgrade-trigger quarantine list.',
  },
  SELECTION_EMPTY: {
    status: 400,
    sentence: 'No unit is selected, so there is nothing to do.',
    hint: 'Name units, or say that all are meant: "all": true, or --all.',
  },
  RATE_LIMITED: {
    status: 429,
    sentence: 'So many were asked for in a short time that this one is refused.',
    hint: 'Ask again after the seconds in Retry-After, or raise PODUP_LIMIT1_COUNT and PODUP_LIMIT2_COUNT.',
  },
  IMAGE_LOCK_NOT_FOUND: {
    status: 404,
    sentence: 'No image of this name is held, nor was one deployed lately.',
    hint: 'The names are in `pod-upgrade-trigger image-locks list`.',
  },
  IMAGE_LOCK_HELD: {
    status: 409,
    sentence: 'A running task holds the image, and goes on to hold it until it has ended.',
    hint: 'Wait for its end, or stop it: pod-upgrade-trigger tasks stop ID. A task that has died holds nothing.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    sentence: 'Another request was answered under this Idempotency-Key.',
    hint: 'Take a new key for each thing that is to be done, and the same one only to ask for it again.',
  },
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
  TASK_NOT_ENDED: {
    status: 409,
    sentence: 'The task has not ended, so there is nothing to do anew.',
    hint: 'Wait for its end, or stop it: POST /api/tasks/ID/stop.',
  },
  TASK_NOT_REPEATABLE: {
    status: 409,
    sentence:
      'The task is only a record of what another program did, so it cannot be done anew here.',
    hint: 'Begin an update of the program with: pod-upgrade-trigger self-update run.',
  },
  TASK_FORCE_STOPPED: {
    status: 409,
    sentence: 'A person had the processes of the task killed in the middle of their work.',
    hint: 'The summary says in which state the unit may be, and what brings it back.',
  },
  TASK_NOT_KILLED: {
    status: 502,
    sentence: 'The task is closed, but something of its processes may still be there.',
    hint: 'It is killed again every few seconds and after a restart; until it is gone no other task of the unit begins.',
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
  SCHEDULE_JOB_NOT_FOUND: {
    status: 404,
    sentence: 'The schedule has no such job.',
    hint: 'GET /api/schedule lists them, and so does: schedule list.',
  },
  ATTENTION_NOT_FOUND: {
    status: 404,
    sentence: 'Nothing of this id wants a person now.',
    hint: 'GET /api/attention names what does; what is mended is not there any more.',
  },
} as const satisfies Record<string, ErrorMeaning>;
