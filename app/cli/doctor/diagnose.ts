import { userInfo } from 'node:os';
import type { Loaded } from '../../../shared/config/load-settings.ts';
import { ERRORS, type ErrorCode } from '../../../shared/contract/error-codes.ts';
import { type Failure, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { runCommand } from '../../../shared/process/run-command.ts';
import { type Severity, severityOf } from '../../domain/health.ts';
import { readKeptHooks } from '../../hooks/keep-hooks.ts';
import {
  askClockSynchronised,
  askPodmanVersion,
  checkDisk,
  checkLinger,
  judgePodmanVersion,
} from '../../host/health.ts';
import type { Host } from '../../host/host.ts';
import { checkUserManager } from '../../host/systemctl.ts';
import type { ServiceState } from '../service/ask-health.ts';
import {
  checkCgroups,
  checkInit,
  checkRuntimeDirectory,
  checkSubordinateIds,
} from './check-host.ts';
import {
  checkAddress,
  checkDatabase,
  checkFileSystem,
  checkStateDirectory,
  findExisting,
} from './check-state.ts';

/** One thing that was looked at. */
export type Diagnosis = {
  readonly name: string;
  readonly status: 'ok' | Severity;
  readonly code: ErrorCode | null;
  readonly message: string | null;
  /** What was seen; may be empty. */
  readonly detail: string;
  /** What mends it; null where nothing is to be mended. */
  readonly fix: string | null;
};

/** What is looked at, and for whom. */
export type Patient = {
  readonly loaded: Loaded;
  readonly environment: NodeJS.ProcessEnv;
  readonly host: Host;
  readonly service: ServiceState;
};

/** What the service knows better than a look from outside: what was stored, and what happened while it ran. */
const KNOWN_TO_SERVICE = ['database', 'clock', 'registry', 'supervisor'] as const;

/** Looks at everything that this program needs, each by itself and all of it, whatever is wrong with the rest. */
export async function diagnose(patient: Patient): Promise<readonly Diagnosis[]> {
  const { loaded, environment, host, service } = patient;
  const { settings, paths } = loaded;
  const uid = process.getuid?.() ?? 0;
  const user = { uid, name: nameOf(uid), root: '/' };
  const isLocal = settings.sshTarget === undefined;
  const isOfUser = isLocal && !host.isSystem;
  const isRootless = isOfUser && uid !== 0;
  const looks: readonly (readonly [
    name: string,
    look: () => Outcome<unknown> | Promise<Outcome<unknown>>,
  ])[] = [
    ['state-directory', () => checkStateDirectory(paths)],
    ['file-system', () => checkFileSystem(paths.stateDir)],
    ['disk', () => checkDisk(findExisting(paths.stateDir), settings.minFreeBytes)],
    ['database', () => checkDatabase(paths.database, paths.databaseBackupsDir)],
    ['podman', () => askPodman(host)],
    ['user-manager', () => checkUserManager(host.run)],
    ...(isOfUser ? [['runtime-directory', () => checkRuntimeDirectory(environment)] as const] : []),
    ...(isOfUser ? [['linger', () => checkLinger()] as const] : []),
    ...(isRootless ? [['subordinate-ids', () => checkSubordinateIds(user)] as const] : []),
    ...(isLocal ? [['cgroups', () => checkCgroups(user)] as const] : []),
    ['init', () => checkInit(user)],
    ['clock', checkClock],
    // While the service runs, it is the one that has it.
    ...(service.kind !== 'stopped'
      ? []
      : [['address', () => checkAddress(settings.httpAddr)] as const]),
    ['webhook-secret', () => checkWebhookSecret(settings.webhookSecret, paths.standbyHooks)],
    ['admin-token', () => needs('ADMIN_TOKEN_NOT_CONFIGURED', settings.adminToken)],
  ];
  const found = await Promise.all(looks.map(([name, look]) => examine(name, look)));
  return [...found, ...ofService(service)];
}

async function examine(
  name: string,
  look: () => Outcome<unknown> | Promise<Outcome<unknown>>,
): Promise<Diagnosis> {
  const outcome = await Promise.resolve()
    .then(look)
    .catch((error: unknown) => fail('INTERNAL', String(error)));
  if (outcome.ok) return { name, status: 'ok', code: null, message: null, detail: '', fix: null };
  return toDiagnosis(name, outcome.failure);
}

function toDiagnosis(name: string, { code, detail }: Failure): Diagnosis {
  const { sentence: message, hint: fix } = ERRORS[code];
  return { name, status: severityOf(code), code, message, detail, fix };
}

/** What the running service tells beyond that. */
function ofService(service: ServiceState): readonly Diagnosis[] {
  if (service.kind === 'stopped') return [];
  if (service.kind === 'silent') return [toDiagnosis('service', service.failure)];
  return service.issues
    .filter(({ component }) => KNOWN_TO_SERVICE.some((known) => known === component))
    .map(({ component, status, code, message, hint, detail = '', since }) => ({
      ...{ name: `service: ${component}`, status, code, message, fix: hint },
      detail: `${detail} Since ${since}.`.trim(),
    }));
}

async function askPodman({ run }: Host): Promise<Outcome<void>> {
  const version = await askPodmanVersion(run);
  return version.ok ? judgePodmanVersion(version.value) : version;
}

async function checkClock(): Promise<Outcome<void>> {
  const isSynchronised = await askClockSynchronised(runCommand);
  return isSynchronised === false ? fail('CLOCK_UNSYNCHRONISED', '') : succeed(undefined);
}

/** Whoever has hooks of their own needs no secret for the paths of units. */
function checkWebhookSecret(secret: string | undefined, hooksFile: string): Outcome<void> {
  const isReachable = readKeptHooks(hooksFile)?.some(({ secrets }) => secrets.length > 0);
  return isReachable ? succeed(undefined) : needs('WEBHOOK_SECRET_NOT_CONFIGURED', secret);
}

function needs(code: ErrorCode, value: string | undefined): Outcome<void> {
  return value === undefined ? fail(code, '') : succeed(undefined);
}

function nameOf(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    return String(uid);
  }
}
