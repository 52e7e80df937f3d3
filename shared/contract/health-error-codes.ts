import type { ErrorMeaning } from './error-meaning.ts';

/** What can be wrong with a host that this program runs on; part of the closed list in `error-codes.ts`. */
export const HEALTH_ERRORS = {
  LINGER_OFF: {
    status: 503,
    sentence: 'The user manager ends with the last session of its user, and every unit with it.',
    hint: 'Have it stay: loginctl enable-linger USER.',
  },
  RUNTIME_DIR_MISSING: {
    status: 503,
    sentence: 'XDG_RUNTIME_DIR is not set or leads nowhere, so the user manager cannot be found.',
    hint: 'Set it to /run/user/UID, which systemd makes at login or for a user who lingers.',
  },
  CLOCK_UNSYNCHRONISED: {
    status: 503,
    sentence: 'The clock of this host is not synchronised.',
    hint: 'Have it kept right: timedatectl set-ntp true, or another service for the time.',
  },
  CLOCK_JUMPED: {
    status: 503,
    sentence: 'The clock of this host was set, or the host was asleep, within the last hour.',
    hint: 'Nothing is to be done where that was meant; times in lists may overlap or have a gap.',
  },
  CLOCK_BEHIND_DATABASE: {
    status: 503,
    sentence:
      'The clock is behind what was recorded already, so new entries seem older than they are.',
    hint: 'Set the clock right: timedatectl. Where it is right, what was recorded came from a wrong one, and time mends it.',
  },
  SUPERVISOR_ABSENT: {
    status: 503,
    sentence:
      'The worker runs without its supervisor: nothing starts it again, and it is not updated.',
    hint: 'Start the service with: pod-upgrade-trigger supervise.',
  },
  PODMAN_TOO_OLD: {
    status: 503,
    sentence: 'This version of podman is older than what is tested.',
    hint: 'Install podman 4.3 or newer.',
  },
  SUBORDINATE_IDS_MISSING: {
    status: 503,
    sentence:
      'This user has no subordinate ids, so rootless podman cannot make containers of most images.',
    hint: 'Give it some as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER; then podman system migrate.',
  },
  CGROUPS_OUTDATED: {
    status: 503,
    sentence:
      'This host has no unified cgroup hierarchy (version 2), so limits and rootless units do not work.',
    hint: 'Boot with systemd.unified_cgroup_hierarchy=1.',
  },
  STATE_ON_NETWORK: {
    status: 503,
    sentence:
      'The state directory is on a network file system, where neither locks nor SQLite can be relied on.',
    hint: 'Set PODUP_STATE_DIR to a directory on a local disk.',
  },
  INIT_MISSING: {
    status: 503,
    sentence:
      'The supervisor is process 1: it reaps what others leave behind, but that is the work of an init.',
    hint: 'Start the container with --init, or with catatonit or tini as its entry point.',
  },
} as const satisfies Record<string, ErrorMeaning>;
