import type { PolicySettings } from '../../app/domain/unit-policy.ts';

/** What units fall back to in tests: quick, and with everything that is on by default. */
export const DEPLOY_SETTINGS: PolicySettings = {
  deployMode: 'deploy',
  deploySoakMs: 1_000,
  deployStartTimeoutMs: 30_000,
  deployRollback: true,
  deployMinAgeMs: 0,
  deployKeepImages: 2,
  quarantineMs: 0,
  higherTags: 'off',
};

/** What a task of podman's auto-update goes by. */
export const AUTO_UPDATE_SETTINGS = {
  autoUpdateUnit: 'podman-auto-update.service',
  autoUpdateTimeoutMs: 120_000,
} as const;
