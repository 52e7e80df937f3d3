import { NO_CLOCK } from '../../shared/config/no-clock.ts';
import type { Settings } from '../../shared/config/settings.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import { HOST_VARIABLES } from '../host/podman-setup.ts';
import { compiledCodeFolder } from './compiled-code.ts';

/** Variables of the host that podman, systemctl, ssh and our registry client need, passed on where they are set. */
const PASSED_ON = [
  ...HOST_VARIABLES,
  'SSH_AUTH_SOCK',
  'NODE_EXTRA_CA_CERTS',
  'NODE_V8_COVERAGE',
] as const;

/**
 * The whole environment of a task: a transient unit inherits nothing of the worker's. Made from the validated settings,
 * so that worker and task cannot disagree; tokens and webhook secrets are not among them, for a task needs none.
 */
export function taskEnvironment(
  settings: Settings,
  paths: Pick<StatePaths, 'stateDir' | 'dataDir' | 'database'>,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    // Code out of the cache cannot be told apart well enough for a measurement of coverage.
    ...(environment['NODE_V8_COVERAGE'] === undefined && {
      NODE_COMPILE_CACHE: compiledCodeFolder(paths.dataDir),
    }),
    PODUP_STATE_DIR: paths.stateDir,
    PODUP_DB_URL: paths.database,
    PODUP_SYSTEMD_SCOPE: settings.systemdScope,
    ...(settings.sshTarget !== undefined && { PODUP_SSH_TARGET: settings.sshTarget }),
    ...(settings.sshConfigFile !== undefined && { PODUP_SSH_CONFIG: settings.sshConfigFile }),
    PODUP_SSH_CONNECT_TIMEOUT_MS: String(settings.sshConnectTimeoutMs),
    PODUP_MANUAL_AUTO_UPDATE_UNIT: settings.autoUpdateUnit,
    PODUP_AUTO_UPDATE_TIMEOUT_MS: String(settings.autoUpdateTimeoutMs),
    PODUP_REGISTRY_TIMEOUT_MS: String(settings.registryTimeoutMs),
    PODUP_PULL_TIMEOUT_MS: String(settings.pullTimeoutMs),
    PODUP_RESTART_TIMEOUT_MS: String(settings.restartTimeoutMs),
    PODUP_DEPLOY_MODE: settings.deployMode,
    PODUP_DEPLOY_SOAK_MS: String(settings.deploySoakMs),
    PODUP_DEPLOY_START_TIMEOUT_MS: String(settings.deployStartTimeoutMs),
    PODUP_DEPLOY_ROLLBACK: settings.deployRollback ? 'on' : 'off',
    PODUP_DEPLOY_MIN_AGE_MS: String(settings.deployMinAgeMs),
    PODUP_DEPLOY_KEEP_IMAGES: String(settings.deployKeepImages),
    PODUP_IMAGE_LIMIT_COUNT: String(settings.imageLimitCount),
    PODUP_IMAGE_LIMIT_WINDOW: String(settings.imageLimitWindowSecs),
    PODUP_QUARANTINE_MS: String(settings.quarantineMs),
    PODUP_TASK_DIAGNOSTICS_JOURNAL_LINES: String(settings.journalLines),
    PODUP_TASK_RETENTION: `${settings.taskRetentionMs}ms`,
    PODUP_DELIVERY_RETENTION: `${settings.deliveryRetentionMs}ms`,
    PODUP_EVENT_RETENTION: `${settings.eventRetentionMs}ms`,
    PODUP_EVENT_MAX_ROWS: String(settings.eventMaxRows),
    PODUP_BACKUP_KEEP: String(settings.backupKeep),
    ...(settings.selfUpdateReportDir !== undefined && {
      PODUP_SELF_UPDATE_REPORT_DIR: settings.selfUpdateReportDir,
    }),
    PODUP_MANUAL_UNITS: settings.units.join(','),
    PODUP_AUTO_DISCOVER: settings.autoDiscover ? 'on' : 'off',
    PODUP_UPDATE_STALE_AFTER: `${settings.updateStaleMs}ms`,
    PODUP_HIGHER_TAGS: settings.higherTags,
    PODUP_LOG_LEVEL: settings.logLevel,
    // Reading an expression costs more than all others together.
    ...NO_CLOCK,
  };
}
