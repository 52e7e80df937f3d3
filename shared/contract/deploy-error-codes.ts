import type { ErrorMeaning } from './error-meaning.ts';

/** What can fail while a unit is deployed and watched; see `ERRORS`. */
export const DEPLOY_ERRORS = {
  IMAGE_QUARANTINED: {
    status: 409,
    sentence: 'This image has failed for this unit before, so it is not deployed again.',
    hint: 'Push another image, or release it with: pod-upgrade-trigger quarantine release UNIT DIGEST.',
  },
  UNIT_NOT_CONFIGURED: {
    status: 404,
    sentence: 'This unit is not one of those that are deployed here.',
    hint: 'Add it to PODUP_MANUAL_UNITS and restart the service, or see docs/units.md for how a unit asks for it itself.',
  },
  DISCOVERY_FAILED: {
    status: 503,
    sentence: 'The folders of unit files cannot be read, so what was found before still counts.',
    hint: 'The detail says what the system says; the next look comes by itself, GET /api/manual/services?refresh=1 looks now.',
  },
  UNIT_NEEDS_RELOAD: {
    status: 409,
    sentence:
      'The unit file has changed since systemd has read it, so a restart would not run what it says.',
    hint: 'Run: systemctl --user daemon-reload; then push again or redeliver the webhook.',
  },
  UNIT_IS_ALIAS: {
    status: 422,
    sentence: 'This is another name of a unit, and containers carry only the first one.',
    hint: 'Use the name that the detail gives, in PODUP_MANUAL_UNITS and in the URL of the webhook.',
  },
  UNIT_PULLS_ITSELF: {
    status: 422,
    sentence:
      'The unit pulls its image at each start, so neither the new nor the old image could be held to.',
    hint: 'Take --pull=always or --pull=newer (in a Quadlet file: Pull=) out of the unit.',
  },
  UNIT_KIND_UNSUPPORTED: {
    status: 422,
    sentence: 'Units of this kind are not deployed here.',
    hint: 'The detail says what the unit runs; a unit that starts one container with podman run, or a .container file, is.',
  },
  VERSION_NOT_OF_UNIT: {
    status: 422,
    sentence: 'This is no version of the image that the unit runs.',
    hint: 'Give a tag, a digest (sha256:…), or an image that is held for the unit: localhost/podup/rollback:UNIT-N.',
  },
  VERSION_NOT_WRITTEN: {
    status: 502,
    sentence: 'The version runs, but the file of the unit could not be made to name it.',
    hint: 'Set Image= yourself and run daemon-reload; until then the next push brings the tag of the file again.',
  },
  QUADLET_INVALID: {
    status: 422,
    sentence: 'Quadlet cannot make the unit from its file as it is now.',
    hint: 'The detail shows what the generator says; a restart after the next daemon-reload would fail.',
  },
  PODMAN_TOO_OLD: {
    status: 422,
    sentence: 'This podman is too old.',
    hint: 'Install podman 4.0 or later; 4.3 and 5.4 are tested.',
  },
  PLAN_NOT_FOUND: {
    status: 404,
    sentence: 'There is no such plan any more.',
    hint: 'A plan lives ten minutes: POST /api/deployments with dry_run makes a new one.',
  },
  PLAN_CHANGED: {
    status: 409,
    sentence: 'The world has changed since the plan was made, so it was not carried out.',
    hint: 'The detail says what is different; look at a new plan with dry_run and carry that out.',
  },
  RESTART_INTERRUPTED: {
    status: 502,
    sentence: 'The restart of the unit was cancelled, or failed because of another unit.',
    hint: 'The detail says what systemd said; push again or redeliver the webhook when that is settled.',
  },
  QUARANTINE_NOT_FOUND: {
    status: 404,
    sentence: 'This image is not in quarantine for this unit.',
    hint: 'GET /api/quarantine lists those that are.',
  },
  TIMER_NOT_KEPT_OFF: {
    status: 502,
    sentence: 'The timer of podman could not be kept off a unit whose image is in quarantine.',
    hint: 'Take AutoUpdate= out of the unit, or stop podman-auto-update.timer, until another image is deployed.',
  },
  HOLD_FAILED: {
    status: 502,
    sentence: 'The image that runs could not be held as the way back.',
    hint: 'The log of the task shows what podman printed; the unit was not touched.',
  },
  GATE_UNIT_DOWN: {
    status: 502,
    sentence: 'The unit did not stay up with the new image.',
    hint: 'The diagnostics of the task show the status and the last journal lines of the unit.',
  },
  GATE_UNIT_RESTARTED: {
    status: 502,
    sentence: 'The container of the unit ended and was started again.',
    hint: 'The diagnostics of the task show the status and the last journal lines of the unit.',
  },
  GATE_UNHEALTHY: {
    status: 502,
    sentence: 'The health check of the image does not say healthy.',
    hint: 'The diagnostics of the task show the journal; StartTimeout= in [X-PodUp] gives it more time.',
  },
  GATE_PROBE_FAILED: {
    status: 502,
    sentence: 'The unit does not answer its probe.',
    hint: 'Check Probe= in the [X-PodUp] section of the unit against what the container serves.',
  },
  GATE_LOG_FORBIDDEN: {
    status: 502,
    sentence: 'The unit logged what it must not.',
    hint: 'The pattern is LogMustNot= in the [X-PodUp] section of the unit.',
  },
  GATE_LOG_MISSING: {
    status: 502,
    sentence: 'The unit did not log what it must.',
    hint: 'The pattern is LogMust= in the [X-PodUp] section of the unit.',
  },
  DEPENDENTS_DOWN: {
    status: 502,
    sentence: 'Units that depend on this one were active before and are not any more.',
    hint: 'The detail names them; see their status with: systemctl --user status UNIT.',
  },
  DEPLOYMENT_STOPPED: {
    status: 409,
    sentence: 'A person stopped the deployment.',
    hint: 'The summary of the task says what the unit runs; push again or redeliver the webhook to go on.',
  },
  ROLLBACK_FAILED: {
    status: 502,
    sentence: 'The new image failed, and the unit could not be brought back to the old one either.',
    hint: 'The unit needs a person: the detail says what runs and what does not.',
  },
} as const satisfies Record<string, ErrorMeaning>;
