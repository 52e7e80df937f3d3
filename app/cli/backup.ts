import { isAbsolute, join, resolve } from 'node:path';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { type Failure, fail, formatFailure } from '../../shared/contract/outcome.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import { viewFailure } from '../api/problem.ts';
import { type Backup, listBackups, readBackup } from '../backups/backup-folder.ts';
import { createBackup } from '../backups/create-backup.ts';
import { type Restored, restoreBackup } from '../backups/restore-backup.ts';
import { verifyBackup } from '../backups/verify-backup.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson, sayFailure } from './output/say.ts';
import { findScreen } from './output/screen.ts';
import { formatTable } from './output/table.ts';
import { printFaults } from './print-faults.ts';
import { askHealth } from './service/ask-health.ts';

type Options = { readonly json?: boolean };

/** `backup create`: a copy of the database now, whether the service runs or not. */
export function backupCreate({ json }: Options, environment: NodeJS.ProcessEnv): Promise<ExitCode> {
  return withPlaces(environment, async ({ paths, settings }) => {
    const made = await createBackup({
      database: paths.database,
      folder: paths.databaseBackupsDir,
      keep: settings.backupKeep,
      version: PROGRAM.version,
      nowMs: Date.now(),
    });
    if (!made.ok) return sayFailure(made.failure, json);
    if (json) printJson(made.value);
    else print(made.value.file);
    return EXIT.ok;
  });
}

/** `backup list`: newest first. */
export function backupList({ json }: Options, environment: NodeJS.ProcessEnv): Promise<ExitCode> {
  return withPlaces(environment, ({ paths }) => {
    const backups = listBackups(paths.databaseBackupsDir);
    if (json) printJson({ backups });
    else if (backups.length === 0) print(`There is no backup in ${paths.databaseBackupsDir}.`);
    else print(formatTable(backups.map(toRow), { head: HEAD, screen: findScreen() }));
    return EXIT.ok;
  });
}

/** `backup verify [NAME]`: whether backups are what was written and fit for this program; without a name all of them. */
export function backupVerify(
  name: string | undefined,
  { json }: Options,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withPlaces(environment, async ({ paths }) => {
    const folder = paths.databaseBackupsDir;
    const found = name === undefined ? listBackups(folder) : [find(folder, name)];
    if (found.length === 0) return sayFailure(notFound(folder), json);
    const backups: Verified[] = [];
    for (const backup of found) backups.push(await verify(backup, name));
    if (json) printJson({ backups: backups.map(viewVerified) });
    else print(backups.map(describeVerified).join('\n'));
    return backups.every(({ ok }) => ok) ? EXIT.ok : EXIT.failure;
  });
}

type Verified = { readonly name: string; readonly ok: boolean; readonly failure: Failure | null };

async function verify(backup: Backup | undefined, asked: string | undefined): Promise<Verified> {
  if (!backup) return { name: asked ?? '', ok: false, failure: notFound(asked) };
  const verified = await verifyBackup(backup);
  const { name } = backup;
  return { name, ok: verified.ok, failure: verified.ok ? null : verified.failure };
}

function describeVerified({ name, failure }: Verified): string {
  return `${name}: ${failure ? formatFailure(failure) : 'good'}`;
}

function viewVerified({ failure, ...rest }: Verified) {
  return { ...rest, failure: failure && viewFailure(failure) };
}

/**
 * `backup restore NAME`: puts it in the place of the database. The service must not run, unless its database is damaged: it
 * has let that go, and takes what lies there next.
 */
export function backupRestore(
  name: string,
  { json }: Options,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withPlaces(environment, async ({ paths }) => {
    const backup = find(paths.databaseBackupsDir, name);
    if (!backup) return sayFailure(notFound(name), json);
    const { version } = PROGRAM;
    const order = { backup, paths, version, nowMs: Date.now() };
    const isLetGo = await hasLetGo(paths);
    const restored = await restoreBackup({ ...order, isLetGo });
    if (!restored.ok) return sayFailure(restored.failure, json);
    if (json) printJson(viewRestored(backup, restored.value));
    else sayRestored(backup, restored.value);
    return EXIT.ok;
  });
}

function viewRestored({ name }: Backup, restored: Restored) {
  const { kept, quarantined, unread, revoked, unreadRevocations } = restored;
  return {
    ...{ name, kept: kept ?? null, quarantined, unread: unread ?? null },
    ...{ revoked, unread_revocations: unreadRevocations },
  };
}

function sayRestored({ name, created_at }: Backup, restored: Restored): void {
  const { kept, quarantined, unread, revoked, unreadRevocations } = restored;
  print(`${name} is in its place: the database as it was at ${created_at}.`);
  if (kept !== undefined) print(`The database that was there is kept: ${kept}`);
  if (quarantined > 0) print(`${quarantined} images that failed since then stay in quarantine.`);
  if (revoked > 0) print(`${revoked} tokens, secrets and hooks that were revoked stay so.`);
  if (unread !== undefined) warn(`What is in quarantine could not be carried over: ${unread}`);
  if (unreadRevocations > 0) {
    const lines = `${unreadRevocations} lines of revocations.jsonl, beside the database,`;
    warn(`${lines} cannot be read: what they revoked may be good again.`);
  }
}

function warn(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Whether a running service says that it uses its database no more. */
async function hasLetGo(paths: StatePaths): Promise<boolean> {
  const service = await askHealth(paths);
  return (
    service.kind === 'running' && service.issues.some(({ code }) => code === 'DATABASE_DAMAGED')
  );
}

type Places = { readonly settings: Settings; readonly paths: StatePaths };

async function withPlaces(
  environment: NodeJS.ProcessEnv,
  act: (places: Places) => ExitCode | Promise<ExitCode>,
): Promise<ExitCode> {
  const result = loadSettings(environment);
  if (result.ok) return act(result.loaded);
  printFaults(result.faults);
  return EXIT.configInvalid;
}

/** By its name in the folder of backups, or by the path of its file wherever that is. */
function find(folder: string, name: string): Backup | undefined {
  const isPath = isAbsolute(name) || name.includes('/');
  return readBackup(isPath ? resolve(name) : join(folder, name));
}

const HEAD = ['NAME', 'CREATED', 'SIZE', 'SCHEMA', 'VERSION'];

function toRow({ name, created_at, bytes, schema, version }: Backup): string[] {
  const size = `${(bytes / 1_000_000).toFixed(1)} MB`;
  return [name, formatTime(created_at), size, String(schema), version];
}

function notFound(what: string | undefined): Failure {
  return fail('BACKUP_NOT_FOUND', `${what}.`).failure;
}
