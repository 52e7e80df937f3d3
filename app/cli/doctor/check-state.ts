import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { formatHttpAddress, type HttpAddress } from '../../../shared/contract/http-address.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { listBackups } from '../../backups/backup-folder.ts';
import { MIGRATIONS } from '../../db/generated-migrations.ts';
import { findWriteProtection } from '../../db/identify-database.ts';
import { inspectDatabase } from '../../db/inspect-database.ts';

/** `f_type` of statfs(2), of file systems whose locks and mappings other machines do not see. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x73757245, 'Coda'],
]);

/** STATE_DIR_UNUSABLE where this user could not write there; what is missing would be made. */
export function checkStateDirectory(paths: {
  readonly stateDir: string;
  readonly dataDir: string;
  readonly intakeDir: string;
}): Outcome<void> {
  for (const path of [paths.stateDir, paths.dataDir, paths.intakeDir]) {
    const place = findExisting(path);
    if (!statSync(place).isDirectory()) return fail('STATE_DIR_UNUSABLE', `${place}: ENOTDIR.`);
    try {
      accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      return fail('STATE_DIR_UNUSABLE', `${place}: ${(error as NodeJS.ErrnoException).code}.`);
    }
  }
  return succeed(undefined);
}

/** STATE_ON_NETWORK where a path is on a file system of another machine. */
export function checkFileSystem(path: string): Outcome<void> {
  const { type } = statfsSync(findExisting(path));
  return judgeFileSystem(path, type);
}

/** The same of what statfs(2) calls the type, which Node gives with its sign on some machines. */
export function judgeFileSystem(path: string, type: number): Outcome<void> {
  const name = NETWORK_FILE_SYSTEMS.get(type >>> 0);
  return name === undefined ? succeed(undefined) : fail('STATE_ON_NETWORK', `${path}: ${name}.`);
}

/** Whether this program may run on the database; one that is missing will be made. Changes nothing. */
export function checkDatabase(path: string, backupsDir: string): Outcome<void> {
  if (!existsSync(path)) return succeed(undefined);
  const { sound, compatible, detail } = inspectDatabase(path, MIGRATIONS);
  if (!sound) return fail('DATABASE_DAMAGED', `${detail} ${nameBackup(backupsDir)}`);
  if (!compatible) return fail('DATABASE_SCHEMA_NEWER', detail);
  const failure = findWriteProtection(path);
  return failure ? { ok: false, failure } : succeed(undefined);
}

function nameBackup(folder: string): string {
  const [newest] = listBackups(folder);
  return newest ? `The newest backup is ${newest.name}.` : `There is no backup in ${folder}.`;
}

/** SOCKET_UNAVAILABLE where the address cannot be bound now. Nobody is answered meanwhile. */
export function checkAddress(address: HttpAddress): Promise<Outcome<void>> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(fail('SOCKET_UNAVAILABLE', `${formatHttpAddress(address)}: ${code}.`)),
    );
    server.listen(address, () => server.close(() => resolve(succeed(undefined))));
  });
}

/** A folder, or the nearest one above it that is there. */
export function findExisting(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : findExisting(dirname(path));
}
