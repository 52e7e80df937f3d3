import { stat } from 'node:fs/promises';
import type { Loaded } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { ResourceView, SettingsView } from '../api/info-views.ts';
import type { KnownUnit } from '../domain/unit-triggers.ts';

type Parts = Pick<Loaded, 'settings' | 'paths' | 'given' | 'warnings'> & {
  readonly known: readonly KnownUnit[];
  readonly checkDatabase: () => Outcome<void>;
};

/** How this program is set up, and what lies in its state directory. Of secrets only whether there is one. */
export async function viewSettings(parts: Parts): Promise<SettingsView> {
  const { settings, paths, given, warnings, known, checkDatabase } = parts;
  const found = known.filter(({ marks }) => marks !== null).map(({ unit }) => unit);
  const checked = checkDatabase();
  const [state_dir, database_file, debug_payload] = await Promise.all([
    viewResource(paths.stateDir),
    viewResource(paths.database),
    viewResource(paths.lastPayload),
  ]);
  return {
    env: {
      PODUP_STATE_DIR: paths.stateDir,
      PODUP_TOKEN_configured: settings.adminToken !== undefined,
      PODUP_GH_WEBHOOK_SECRET_configured: settings.webhookSecret !== undefined,
    },
    settings: given.map(({ variable, from, text, isSecret }) => ({
      variable,
      value: text,
      configured: from !== null,
      secret: isSecret,
      from,
    })),
    warnings,
    systemd: {
      manual_units: settings.units,
      discovered_units: { count: found.length, units: found },
    },
    tasks: { task_retention_secs: Math.round(settings.taskRetentionMs / 1000) },
    database: { path: paths.database, error: checked.ok ? null : checked.failure.code },
    resources: { state_dir, database_file, debug_payload },
    version: {
      package: PROGRAM.version,
      release_tag: `v${PROGRAM.version}`,
      commit: PROGRAM.commit,
    },
  };
}

/** What cannot be looked at is as good as missing. */
async function viewResource(path: string): Promise<ResourceView> {
  try {
    const facts = await stat(path);
    return {
      path,
      exists: true,
      is_dir: facts.isDirectory(),
      size: facts.isFile() ? facts.size : null,
      modified_ts: Math.floor(facts.mtimeMs / 1000),
    };
  } catch {
    return { path, exists: false, is_dir: false, size: null, modified_ts: null };
  }
}
