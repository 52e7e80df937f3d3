import type { ErrorMeaning } from './error-meaning.ts';

/** What asking a registry can come to, and why it cannot be said whether a unit is up to date. */
export const REGISTRY_ERRORS = {
  REGISTRY_UNREACHABLE: {
    status: 502,
    sentence: 'The registry cannot be reached.',
    hint: 'Check network and DNS of this host and the host name in the image; HTTP proxies are not used for this.',
  },
  REGISTRY_TIMEOUT: {
    status: 504,
    sentence: 'The registry did not answer in time.',
    hint: 'Try again later; PODUP_REGISTRY_TIMEOUT_MS is the limit.',
  },
  REGISTRY_UNAUTHORIZED: {
    status: 502,
    sentence: 'The registry refuses access to this image.',
    hint: 'Log in as the user of this service with: podman login REGISTRY.',
  },
  REGISTRY_IMAGE_NOT_FOUND: {
    status: 502,
    sentence: 'The registry has no such image or tag.',
    hint: 'Check name and tag; a private image without login looks the same.',
  },
  REGISTRY_RATE_LIMITED: {
    status: 502,
    sentence: 'The registry limits the rate of requests.',
    hint: 'Log in for a higher limit, or wait.',
  },
  REGISTRY_RESPONSE_INVALID: {
    status: 502,
    sentence: 'The registry answered in a way that cannot be trusted.',
    hint: 'The detail says what was wrong; a proxy in between may be the cause.',
  },
  REGISTRY_CREDENTIALS_UNREADABLE: {
    status: 502,
    sentence: 'A registry credentials file cannot be read.',
    hint: 'The detail names the file; log in again with podman login.',
  },
  REGISTRY_BLOCKED: {
    status: 502,
    sentence: 'The registry is blocked by the configuration of podman on this host.',
    hint: 'See registries.conf.',
  },
  CHECK_NOT_DONE: {
    status: 409,
    sentence: 'Updates of this unit have not been looked for yet.',
    hint: 'Look now: POST /api/update-checks, or units check.',
  },
  CHECK_NOTHING_RUNS: {
    status: 409,
    sentence: 'No container of the unit runs, so there is nothing to compare with.',
    hint: 'Start the unit, or deploy it.',
  },
  CHECK_IMAGE_LOCAL: {
    status: 422,
    sentence: 'The image was built on this host, so no registry knows a newer one.',
    hint: 'Give the unit an image of a registry to have it compared.',
  },
  REGISTRY_PLATFORM_MISSING: {
    status: 502,
    sentence: 'What the tag means has no image for the platform of this host.',
    hint: 'Push an image for it, or name another tag in the unit.',
  },
} as const satisfies Record<string, ErrorMeaning>;
