import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { type StatePaths, statePaths } from '../contract/state-paths.ts';
import { checkAccess } from './check-access.ts';
import { type GivenSetting, readSettings } from './read-settings.ts';
import type { Settings } from './settings.ts';
import { findStateDirectory } from './state-directory.ts';

/** Everything that the environment decides. */
export type Loaded = {
  readonly settings: Settings;
  readonly paths: StatePaths;
  readonly warnings: readonly string[];
  /** Values that must never be printed. */
  readonly secrets: readonly string[];
  /** Each setting with where its value comes from. */
  readonly given: readonly GivenSetting[];
};

const MAX_SECRET_FILE_BYTES = 64 * 1024;

/** Reads and validates the configuration; the only place below `main` that looks at files for it. */
export function loadSettings(
  environment: NodeJS.ProcessEnv,
):
  | { readonly ok: true; readonly loaded: Loaded }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const reading = readSettings(environment, readSmallText);
  if (!reading.ok) return reading;
  const { settings, given } = reading;
  const access = checkAccess(settings);
  if (access.faults.length > 0) return { ok: false, faults: access.faults };
  const warnings = [...reading.warnings, ...access.warnings];
  const stateDir = findStateDirectory(settings.stateDir, { environment, isWritable });
  if (stateDir === undefined) {
    return {
      ok: false,
      faults: ['PODUP_STATE_DIR: it is not set and there is no HOME; allowed: an absolute path.'],
    };
  }
  const paths = statePaths(stateDir);
  const { adminToken, manualToken, webhookSecret, webhookSecretPrevious } = settings;
  const { releaseToken, metricsToken, hookKey, githubToken } = settings;
  return {
    ok: true,
    loaded: {
      settings,
      paths: {
        ...paths,
        database: settings.databasePath ?? paths.database,
        reportsDir: settings.selfUpdateReportDir ?? paths.reportsDir,
        lastPayload: settings.debugPayloadPath ?? paths.lastPayload,
      },
      warnings,
      secrets: [
        adminToken,
        manualToken,
        webhookSecret,
        webhookSecretPrevious,
        releaseToken,
        metricsToken,
        hookKey,
        githubToken,
      ].filter((secret) => secret !== undefined),
      given,
    },
  };
}

function readSmallText(path: string): string {
  if (statSync(path).size > MAX_SECRET_FILE_BYTES) {
    throw Object.assign(new Error('too large'), { code: 'EFBIG' });
  }
  return readFileSync(path, 'utf8');
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
