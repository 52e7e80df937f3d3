import * as z from 'zod';
import { parseHttpAddress } from '../contract/http-address.ts';
import { ACCESS_SETTINGS } from './access-settings.ts';
import { AUTO_UPDATE_SETTINGS } from './auto-update-settings.ts';
import { CHECK_SETTINGS } from './check-settings.ts';
import { DEPLOY_SETTINGS } from './deploy-settings.ts';
import { DISCOVERY_SETTINGS } from './discovery-settings.ts';
import { EVENT_SETTINGS } from './event-settings.ts';
import { KEEPING_SETTINGS } from './keeping-settings.ts';
import { LIMIT_SETTINGS } from './limit-settings.ts';
import { SCHEDULE_SETTINGS } from './schedule-settings.ts';
import { milliseconds, type Setting } from './setting.ts';
import {
  absolutePath,
  parseCron,
  parseDatabasePath,
  parsed,
  parseFlag,
  parsePublicKeys,
  parseReleaseBase,
  parseWebUrl,
  SECRET_ALLOWED,
  secretText,
  within,
} from './setting-values.ts';
import { SSH_SETTINGS } from './ssh-settings.ts';
import { LOG_LEVELS, SUPERVISOR_DEFAULTS } from './supervisor-settings.ts';
import { WEB_SETTINGS } from './web-settings.ts';
import { WEBHOOK_SETTINGS } from './webhook-settings.ts';

/** Every setting of the worker and its tasks. `docs/configuration.md` is generated from this table. */
export const SETTINGS = {
  httpAddr: {
    variable: 'PODUP_HTTP_ADDR',
    schema: parsed(parseHttpAddress),
    fallback: SUPERVISOR_DEFAULTS.PODUP_HTTP_ADDR,
    allowed: 'ADDRESS:PORT with a numeric IPv4 address, a bracketed IPv6 address or localhost',
    about: 'Where HTTP is served.',
  },
  stateDir: {
    variable: 'PODUP_STATE_DIR',
    schema: absolutePath,
    allowed: 'an absolute path',
    about:
      'Where all state lies. Unset: the first of STATE_DIRECTORY (systemd), /srv/pod-upgrade-trigger if writable, $XDG_STATE_HOME/pod-upgrade-trigger, ~/.local/state/pod-upgrade-trigger.',
  },
  databasePath: {
    variable: 'PODUP_DB_URL',
    schema: parsed(parseDatabasePath),
    allowed: 'sqlite:///ABSOLUTE/PATH or an absolute path',
    about: 'The SQLite database. Unset: data/pod-upgrade-trigger.db in the state directory.',
  },
  ...ACCESS_SETTINGS,
  webhookSecret: {
    variable: 'PODUP_GH_WEBHOOK_SECRET',
    schema: secretText,
    allowed: SECRET_ALLOWED,
    about: 'The secret of the GitHub webhook. Unset: webhooks are refused.',
    secret: true,
  },
  webhookSecretPrevious: {
    variable: 'PODUP_GH_WEBHOOK_SECRET_PREVIOUS',
    schema: secretText,
    allowed: SECRET_ALLOWED,
    about: 'A second live webhook secret, for changing the secret without losing a delivery.',
    secret: true,
  },
  webhookMaxBodyBytes: {
    variable: 'PODUP_WEBHOOK_MAX_BODY_BYTES',
    schema: within(1024, 26_214_400),
    fallback: '1048576',
    allowed: 'bytes, 1024 to 26214400 (25 MiB, the most that GitHub sends)',
    about: 'The largest webhook body that is read.',
  },
  ...WEBHOOK_SETTINGS,
  ...DISCOVERY_SETTINGS,
  ...CHECK_SETTINGS,
  pullTimeoutMs: milliseconds(
    'PODUP_PULL_TIMEOUT_MS',
    { fallback: 1_800_000, min: 1_000, max: 21_600_000 },
    'The limit of one podman pull.',
  ),
  restartTimeoutMs: milliseconds(
    'PODUP_RESTART_TIMEOUT_MS',
    { fallback: 600_000, min: 1_000, max: 7_200_000 },
    'The limit of one restart of a unit.',
  ),
  taskConcurrency: {
    variable: 'PODUP_TASK_CONCURRENCY',
    schema: within(1, 32),
    fallback: '2',
    allowed: 'a number, 1 to 32',
    about: 'How many units are deployed at the same time.',
  },
  taskExecutor: {
    variable: 'PODUP_TASK_EXECUTOR',
    schema: z.enum(['auto', 'systemd-run', 'child']),
    fallback: 'auto',
    allowed: 'auto, systemd-run or child',
    about:
      'What runs a task: a transient unit of the user manager, or a child of the worker. auto takes the unit where there is a user manager.',
  },
  systemdScope: {
    variable: 'PODUP_SYSTEMD_SCOPE',
    schema: z.enum(['user', 'system']),
    fallback: 'user',
    allowed: 'user or system',
    about:
      'Whose units are deployed: those of the user manager, with rootless podman, or, as root, those of the system.',
  },
  ...SSH_SETTINGS,
  journalLines: {
    variable: 'PODUP_TASK_DIAGNOSTICS_JOURNAL_LINES',
    schema: within(1, 1000),
    fallback: '100',
    allowed: 'a number, 1 to 1000',
    about: 'How many journal lines of the unit a failed task keeps.',
  },
  ...DEPLOY_SETTINGS,
  ...AUTO_UPDATE_SETTINGS,
  ...KEEPING_SETTINGS,
  ...SCHEDULE_SETTINGS,
  ...EVENT_SETTINGS,
  ...WEB_SETTINGS,
  ...LIMIT_SETTINGS,
  minFreeBytes: {
    variable: 'PODUP_MIN_FREE_BYTES',
    schema: within(0, 1_000_000_000_000),
    fallback: '104857600',
    allowed: 'bytes, 0 to 1000000000000',
    about: 'Below this much free space in the state directory /health reports DISK_LOW.',
  },
  targetBin: {
    variable: 'PODUP_TARGET_BIN',
    schema: absolutePath,
    allowed: 'an absolute path',
    about:
      'The program file that updates exchange. Unset: ~/.local/bin/pod-upgrade-trigger. Updates are available where the supervisor runs as this file.',
  },
  releaseRepository: {
    variable: 'PODUP_RELEASE_REPOSITORY',
    schema: parsed((raw) => (/^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(raw) ? raw : undefined)),
    allowed: 'OWNER/REPOSITORY',
    about: 'The repository on GitHub whose releases are installed.',
  },
  releaseApiUrl: {
    variable: 'PODUP_RELEASE_API_URL',
    schema: parsed(parseWebUrl),
    fallback: 'https://api.github.com',
    allowed: 'a URL with https, or http to a loopback address',
    about: 'The API that lists the releases: of GitHub, or of a GitHub Enterprise Server.',
  },
  releaseBaseUrl: {
    variable: 'PODUP_RELEASE_BASE_URL',
    schema: parsed(parseReleaseBase),
    allowed: 'a URL with https, http to a loopback address, or file; or an absolute path',
    about:
      'A mirror or a plain directory that holds the releases, instead of GitHub. See docs/self-update.md for its layout.',
  },
  releaseTag: {
    variable: 'PODUP_RELEASE_TAG',
    schema: parsed((raw) => (/^[\w][\w.+-]{0,99}$/.test(raw) ? raw : undefined)),
    allowed: 'a tag such as v1.2.3',
    about: 'The one release that may be installed. Unset: the newest of the channel.',
  },
  releaseChannel: {
    variable: 'PODUP_RELEASE_CHANNEL',
    schema: z.enum(['stable', 'beta']),
    fallback: 'stable',
    allowed: 'stable or beta',
    about: 'Which releases are looked at: stable leaves pre-releases out.',
  },
  releasePublicKeys: {
    variable: 'PODUP_RELEASE_PUBLIC_KEYS',
    schema: parsed(parsePublicKeys),
    fallback: '',
    allowed: 'ID:KEY pairs separated by white space, KEY being 32 bytes in base64',
    about:
      'Ed25519 keys of the publisher. Where there is one, only releases with a manifest signed by one of them are installed.',
  },
  releaseToken: {
    variable: 'PODUP_RELEASE_TOKEN',
    schema: secretText,
    allowed: SECRET_ALLOWED,
    about:
      'A token for the release API, for a private repository or a higher limit. Sent to no other host.',
    secret: true,
  },
  selfUpdateCron: {
    variable: 'PODUP_SELF_UPDATE_CRON',
    schema: parsed(parseCron),
    allowed: 'a cron expression of five or six fields',
    about: 'When to look for a release and install it. Unset: only when asked to.',
  },
  selfUpdateDryRun: {
    variable: 'PODUP_SELF_UPDATE_DRY_RUN',
    schema: parsed(parseFlag),
    fallback: 'off',
    allowed: '1, true, yes, on or 0, false, no, off',
    about: 'Whether scheduled updates only download and verify.',
  },
  selfUpdateReportDir: {
    variable: 'PODUP_SELF_UPDATE_REPORT_DIR',
    schema: absolutePath,
    allowed: 'an absolute path',
    about:
      'Where reports of self-update runs are written and imported from. Unset: self-update-reports in the state directory.',
  },
  selfUpdateSoakMs: milliseconds(
    'PODUP_SELF_UPDATE_SOAK_MS',
    SUPERVISOR_DEFAULTS.PODUP_SELF_UPDATE_SOAK_MS,
    'How long a new version has to serve before it is proven.',
  ),
  selfUpdateStartTimeoutMs: milliseconds(
    'PODUP_SELF_UPDATE_START_TIMEOUT_MS',
    SUPERVISOR_DEFAULTS.PODUP_SELF_UPDATE_START_TIMEOUT_MS,
    'How long a new version may take to become ready; a migration that gets on may take longer.',
  ),
  selfUpdateIdleTimeoutMs: milliseconds(
    'PODUP_SELF_UPDATE_IDLE_TIMEOUT_MS',
    SUPERVISOR_DEFAULTS.PODUP_SELF_UPDATE_IDLE_TIMEOUT_MS,
    'How long an update waits for running tasks to end before it is put off.',
  ),
  logLevel: {
    variable: 'PODUP_LOG_LEVEL',
    schema: z.enum(LOG_LEVELS),
    fallback: SUPERVISOR_DEFAULTS.PODUP_LOG_LEVEL,
    allowed: LOG_LEVELS.join(', '),
    about: 'The least important log lines that are written.',
  },
  backoffInitialMs: milliseconds(
    'PODUP_RESTART_BACKOFF_INITIAL_MS',
    SUPERVISOR_DEFAULTS.PODUP_RESTART_BACKOFF_INITIAL_MS,
    'How long the supervisor waits after the first death of a worker; it doubles with each further one.',
  ),
  backoffMaxMs: milliseconds(
    'PODUP_RESTART_BACKOFF_MAX_MS',
    SUPERVISOR_DEFAULTS.PODUP_RESTART_BACKOFF_MAX_MS,
    'The longest wait between two starts of the worker.',
  ),
  stopTimeoutMs: milliseconds(
    'PODUP_STOP_TIMEOUT_MS',
    SUPERVISOR_DEFAULTS.PODUP_STOP_TIMEOUT_MS,
    'How long the worker may take to stop before it is killed.',
  ),
} as const satisfies Record<string, Setting<unknown>>;

/** The name of a setting in the program. */
export type SettingKey = keyof typeof SETTINGS;

type Optional =
  | 'containerDir'
  | 'autoUpdateLogDir'
  | 'stateDir'
  | 'targetBin'
  | 'scheduleTimeZone'
  | 'schedulerMaxTicks'
  | 'sshTarget'
  | 'sshConfigFile'
  | 'releaseRepository'
  | 'releaseBaseUrl'
  | 'releaseTag'
  | 'releaseToken'
  | 'selfUpdateCron'
  | 'selfUpdateReportDir'
  | 'databasePath'
  | 'publicBaseUrl'
  | 'metricsToken'
  | 'debugPayloadPath'
  | 'adminToken'
  | 'githubToken'
  | 'hookKey'
  | 'manualToken'
  | 'forwardAuthHeader'
  | 'forwardAuthAdminValue'
  | 'forwardAuthNicknameHeader'
  | 'openAdmin'
  | 'webhookSecret'
  | 'webhookSecretPrevious';

/** The validated settings: what has a default is always there. */
export type Settings = {
  readonly [K in Exclude<SettingKey, Optional>]: z.output<(typeof SETTINGS)[K]['schema']>;
} & { readonly [K in Optional]?: z.output<(typeof SETTINGS)[K]['schema']> };

/** Older names that keep working and are logged once as deprecated: old name -> the variable it stands for. */
export const DEPRECATED_NAMES: Readonly<Record<string, string>> = {
  WEBHOOK_STATE_DIR: 'PODUP_STATE_DIR',
  WEBHOOK_DB_URL: 'PODUP_DB_URL',
  WEBHOOK_TOKEN: 'PODUP_TOKEN',
  WEBHOOK_MANUAL_TOKEN: 'PODUP_MANUAL_TOKEN',
  GITHUB_WEBHOOK_SECRET: 'PODUP_GH_WEBHOOK_SECRET',
  TARGET_BIN: 'PODUP_TARGET_BIN',
  PODUP_TASK_RETENTION_SECS: 'PODUP_TASK_RETENTION',
  PODUP_REGISTRY_DIGEST_CACHE_TTL_SECS: 'PODUP_UPDATE_STALE_AFTER',
};
