import { ACCESS_ERRORS } from './access-error-codes.ts';
import { BACKUP_ERRORS } from './backup-error-codes.ts';
import { DATABASE_ERRORS } from './database-error-codes.ts';
import { DELIVERY_ERRORS } from './delivery-error-codes.ts';
import { DEPLOY_ERRORS } from './deploy-error-codes.ts';
import type { ErrorMeaning } from './error-meaning.ts';
import { GITHUB_ERRORS } from './github-error-codes.ts';
import { HEALTH_ERRORS } from './health-error-codes.ts';
import { HOOK_ERRORS } from './hook-error-codes.ts';
import { REGISTRY_ERRORS } from './registry-error-codes.ts';
import { SERVICE_ERRORS } from './service-error-codes.ts';
import { SSH_ERRORS } from './ssh-error-codes.ts';
import { TASK_ERRORS } from './task-error-codes.ts';
import { UPDATE_ERRORS } from './update-error-codes.ts';

/**
 * The closed list of everything that can be refused or can fail, the same in API, CLI and UI.
 * `status` is the HTTP status where the code answers a request; failures of a task keep it for `GET /api/tasks/:id`
 * clients that map codes to classes.
 */
export const ERRORS = {
  // Requests.
  NOT_FOUND: {
    status: 404,
    sentence: 'There is nothing at this path.',
    hint: 'See docs/api.md for the routes.',
  },
  PAYLOAD_NOT_FOUND: {
    status: 404,
    sentence: 'No webhook with a bad signature has come in.',
    hint: 'There is something once one has; of several the last one is kept.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    sentence: 'This path does not take this method.',
    hint: 'The Allow header names the methods it takes.',
  },
  REQUEST_INVALID: {
    status: 400,
    sentence: 'The request is not valid.',
    hint: 'The detail names the field and what is allowed.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    sentence: 'The request did not arrive in time.',
    hint: 'Send the whole request at once: PODUP_REQUEST_TIMEOUT_MS and PODUP_MIN_BODY_RATE say how fast.',
  },
  CREDENTIALS_LIMITED: {
    status: 429,
    sentence: 'So many credentials from there were wrong that no more are looked at for a while.',
    hint: 'Come again after the seconds in Retry-After with a good one; pod-upgrade-trigger limits release ADDRESS ends it at once.',
  },
  LIMIT_NOT_FOUND: {
    status: 404,
    sentence: 'Nothing is counted under this name.',
    hint: 'What is counted is in `pod-upgrade-trigger limits list`.',
  },
  HEAD_TOO_LARGE: {
    status: 431,
    sentence: 'The head of the request is larger than any that is read.',
    hint: 'All header fields together may have 16 KiB: look at the cookies, and at what a proxy adds.',
  },
  INTERNAL: {
    status: 500,
    sentence: 'The server failed while it handled the request.',
    hint: 'Look for the request id in the log.',
  },
  ...ACCESS_ERRORS,
  TOO_MANY_LISTENERS: {
    status: 503,
    sentence: 'So many listen already that no more are taken.',
    hint: 'Close streams that nobody reads, or ask GET /api/self-update now and then.',
  },
  TOO_MANY_EXPORTS: {
    status: 503,
    sentence: 'So many exports are being written already that no more are begun.',
    hint: 'Wait for one to end, or use pod-upgrade-trigger events export on the host.',
  },
  EVENT_CHAIN_BROKEN: {
    status: 500,
    sentence: 'The event log is not as it was written.',
    hint: 'Compare the row with a backup or an export. docs/events.md says what this proves.',
  },
  // Webhooks, in the order in which they are checked.
  WEBHOOK_SECRET_NOT_CONFIGURED: {
    status: 503,
    sentence: 'No webhook secret is configured, so no delivery can be believed.',
    hint: 'Set PODUP_GH_WEBHOOK_SECRET to the secret of the hook and restart.',
  },
  CONTENT_TYPE_UNSUPPORTED: {
    status: 415,
    sentence: 'The body is not application/json.',
    hint: 'Send it as application/json; a hook has that in its settings.',
  },
  SIGNATURE_MISSING: {
    status: 401,
    sentence: 'The delivery carries no X-Hub-Signature-256.',
    hint: 'Set a secret in the settings of the hook.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    sentence: 'The body is larger than allowed.',
    hint: 'For webhooks: raise PODUP_WEBHOOK_MAX_BODY_BYTES (25 MiB at most) if the sender is right.',
  },
  SIGNATURE_INVALID: {
    status: 401,
    sentence: 'The signature does not fit the body and the configured secret.',
    hint: 'Compare the secret of the hook with PODUP_GH_WEBHOOK_SECRET; a proxy must not change the body.',
  },
  WEBHOOK_HEADER_MISSING: {
    status: 400,
    sentence: 'The delivery lacks a header that GitHub always sends.',
    hint: 'X-GitHub-Event and X-GitHub-Delivery are needed; check the proxy in between.',
  },
  BODY_NOT_JSON: {
    status: 400,
    sentence: 'The signature is good but the body is not a JSON object.',
    hint: 'Check what signs these bodies; GitHub always sends a JSON object.',
  },
  SPOOL_UNAVAILABLE: {
    status: 503,
    sentence: 'The delivery could not be made durable, so it was not accepted.',
    hint: 'Check the file system of the state directory; redeliver afterwards.',
  },
  SPOOL_DISK_FULL: {
    status: 507,
    sentence: 'The disk of the intake spool is full, so the delivery was not accepted.',
    hint: 'Free space in the state directory; redeliver afterwards.',
  },
  SPOOL_BACKLOG_FULL: {
    status: 503,
    sentence: 'Too many deliveries wait for the disk, so this one was not accepted.',
    hint: 'The disk of the state directory is too slow; redeliver later.',
  },
  // Start-up and state.
  CONFIG_INVALID: {
    status: 500,
    sentence: 'The configuration is not valid.',
    hint: 'Each fault names the variable and what is allowed; see docs/configuration.md.',
  },
  STATE_DIR_UNUSABLE: {
    status: 503,
    sentence: 'The state directory cannot be used.',
    hint: 'Set PODUP_STATE_DIR to a directory that this user can write.',
  },
  ...DATABASE_ERRORS,
  STATE_DIR_IN_USE: {
    status: 503,
    sentence: 'Another process of this program uses the state directory.',
    hint: 'The detail names it; stop it first, or give this one another PODUP_STATE_DIR.',
  },
  SYSTEM_CALLS_UNAVAILABLE: {
    status: 503,
    sentence: 'System calls that Node lacks cannot be made.',
    hint: 'Install the program again, with its native packages; the detail says what is lost meanwhile.',
  },
  MAINTENANCE: {
    status: 503,
    sentence: 'The service is being updated or repaired.',
    hint: 'Webhooks are accepted meanwhile; ask again after the seconds in Retry-After.',
  },
  SOCKET_UNAVAILABLE: {
    status: 503,
    sentence: 'The listening address cannot be bound.',
    hint: 'Stop what listens there, or set PODUP_HTTP_ADDR to a free numeric address and port.',
  },
  DISK_LOW: {
    status: 503,
    sentence: 'The disk of the state directory is nearly full.',
    hint: 'Free space there: accepted webhooks and the database need it.',
  },
  // The host.
  ...HEALTH_ERRORS,
  PODMAN_UNAVAILABLE: {
    status: 503,
    sentence: 'podman cannot be run.',
    hint: 'Install podman and make it available in PATH.',
  },
  PODMAN_FAILED: {
    status: 502,
    sentence: 'A podman command failed.',
    hint: 'The log of the task shows the command and what it printed.',
  },
  USER_MANAGER_UNAVAILABLE: {
    status: 503,
    sentence: 'The systemd user manager cannot be reached.',
    hint: 'Enable lingering (loginctl enable-linger USER) and set XDG_RUNTIME_DIR to /run/user/UID.',
  },
  UNIT_NOT_FOUND: {
    status: 404,
    sentence: 'systemd does not know this unit.',
    hint: 'Check the name with: systemctl --user cat UNIT; then systemctl --user daemon-reload.',
  },
  UNIT_IMAGE_UNKNOWN: {
    status: 422,
    sentence: 'The image that this unit runs cannot be told from its start command.',
    hint: 'The unit must start its container with podman run IMAGE, as Quadlet and podman generate systemd --new do.',
  },
  UNIT_IMAGE_PINNED: {
    status: 422,
    sentence: 'The unit names its image by digest, so no push can change what it runs.',
    hint: 'Name a tag in the unit to have it updated.',
  },
  UNIT_IMAGE_CHANGED: {
    status: 409,
    sentence: 'The unit now runs another image than the one this task was made for.',
    hint: 'Nothing was done; push again or redeliver the webhook.',
  },
  UNIT_POLICY_INVALID: {
    status: 422,
    sentence: 'The section [X-PodUp] of the unit is not valid.',
    hint: 'Correct what the detail names in the unit file or in a drop-in, then: systemctl --user daemon-reload.',
  },
  // Registries.
  ...HOOK_ERRORS,
  ...REGISTRY_ERRORS,
  // Deployments.
  PULL_FAILED: {
    status: 502,
    sentence: 'The image could not be pulled.',
    hint: 'The log of the task shows what podman printed; the unit was not touched.',
  },
  PULL_TIMEOUT: {
    status: 504,
    sentence: 'Pulling the image took too long.',
    hint: 'Raise PODUP_PULL_TIMEOUT_MS for large images; the unit was not touched.',
  },
  TAG_FAILED: {
    status: 502,
    sentence: 'The pulled image could not be tagged.',
    hint: 'The log of the task shows what podman printed; the unit was not touched.',
  },
  RESTART_FAILED: {
    status: 502,
    sentence: 'systemd could not restart the unit.',
    hint: 'The diagnostics of the task show the status and the last journal lines of the unit.',
  },
  RESTART_TIMEOUT: {
    status: 504,
    sentence: 'Restarting the unit took too long.',
    hint: 'Raise PODUP_RESTART_TIMEOUT_MS if the unit needs longer to start.',
  },
  CONTAINER_NOT_RUNNING: {
    status: 502,
    sentence: 'The unit was restarted but no container of it runs.',
    hint: 'The diagnostics of the task show the status and the last journal lines of the unit.',
  },
  RUNNING_DIGEST_MISMATCH: {
    status: 502,
    sentence: 'The unit runs another image than the one that was pulled for it.',
    hint: 'Check the unit for a pull policy or an image that overrides the tag.',
  },
  ...TASK_ERRORS,
  ...DEPLOY_ERRORS,
  ...BACKUP_ERRORS,
  ...DELIVERY_ERRORS,
  ...GITHUB_ERRORS,
  ...SERVICE_ERRORS,
  ...SSH_ERRORS,
  ...UPDATE_ERRORS,
} as const satisfies Record<string, ErrorMeaning>;

/** One of the closed list of error codes. */
export type ErrorCode = keyof typeof ERRORS;

/** Tells whether a string (a row, a message of another process) is one of our codes. */
export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERRORS, value);
}
