import { type Failure, fail, type Outcome } from '../../shared/contract/outcome.ts';
import type { ReleaseIdentity } from '../../shared/contract/release.ts';
import { withoutSecrets } from '../../shared/contract/secret-variables.ts';
import { parseStagerNotice, type StagerOrder } from '../../shared/contract/stager-messages.ts';
import type { ProgramPaths } from '../../shared/contract/state-paths.ts';
import type { UpdateRecord } from '../../shared/contract/update-record.ts';
import type { BulkFiles } from '../../shared/fs/bulk-files.ts';
import type { Files } from '../../shared/fs/files.ts';
import { clearOpeners } from '../../shared/process/find-openers.ts';
import type { UpdateEvent } from '../core/update/machine.ts';
import { findKept } from '../release/kept-programs.ts';
import {
  keepProgram,
  type ProgramParts,
  restoreProgram,
  switchProgram,
} from '../release/program-files.ts';
import { localAddress } from '../socket/local-address.ts';
import { checkInstalled } from './check-installed.ts';
import { backUp, type DatabaseParts, inspect, putBack, settleDatabase } from './database-acts.ts';
import type { Acts } from './perform-act.ts';
import { probe } from './probe.ts';
import { type HelperEnd, runHelper } from './run-helper.ts';

/** What the acts of an update work with. */
export type ActParts = {
  readonly program: ProgramPaths;
  readonly paths: { readonly database: string; readonly backupsDir: string };
  readonly files: Files;
  readonly bulk: BulkFiles;
  readonly environment: NodeJS.ProcessEnv;
  /** Version and commit of this very process. */
  readonly own: { readonly version: string; readonly commit: string };
  /** The listening socket, for finding out where it is reached. */
  readonly socketFd: number;
  /** Ends all children and becomes the program at the target; comes back only with a reason. */
  readonly becomeTarget: () => Promise<UpdateEvent>;
  /** What was committed last: tells the tag and generation of what runs. */
  readonly lastGood: () => ReleaseIdentity | null;
};

const STAGE_LIMIT_MS = 3_600_000;
const HELPER_LIMIT_MS = 600_000;
const CHECK_LIMIT_MS = 60_000;

/** How each act of an update is carried out on a real host. */
export function createActs(parts: ActParts): Acts {
  const { program, paths, files, bulk } = parts;
  const programParts = ({ txn }: { txn: string }): ProgramParts => ({
    program,
    folder: `${paths.backupsDir}/${txn}`,
    files,
    bulk,
  });
  const databaseParts = ({ txn }: UpdateRecord, signal: AbortSignal): DatabaseParts => ({
    database: paths.database,
    folder: `${paths.backupsDir}/${txn}`,
    files,
    bulk,
    ask: (file, args) => ask(parts, file, args, signal, HELPER_LIMIT_MS),
    clearOpeners: () => clearOpeners(paths.database, program),
  });
  return {
    identify: async ({ version }) => ({
      kind: 'identified',
      from: await identify(parts),
      retained: version === null ? null : findKept(paths.backupsDir, version, files),
    }),
    stage: ({ order }, { signal, post }) => stage(parts, order, signal, post),
    'inspect-staged': async (_effect, { signal }) => {
      const askStaged = {
        ask: (file: string, args: readonly string[]) =>
          ask(parts, file, args, signal, HELPER_LIMIT_MS),
      };
      const { isFit, detail } = await inspect(askStaged, program.staged);
      return { kind: 'inspected', compatible: isFit, detail };
    },
    'back-up': async ({ record }, { signal }) => {
      await keepProgram(programParts(record), record);
      const backup = await backUp(databaseParts(record, signal), [program.target, program.staged]);
      return settle(backup, (value) => ({ kind: 'backed-up', backup: value }));
    },
    'switch-program': async ({ record }) =>
      settle(await switchProgram(programParts(record), record), () => ({ kind: 'switched' })),
    'restore-wanted': async ({ record }, { signal }) => {
      const { wanted } = record.database;
      if (!wanted) return { kind: 'wanted-restored' };
      const put = await putBack(databaseParts(record, signal), wanted, program.target, 'given-up');
      return settle(put, () => ({ kind: 'wanted-restored' }));
    },
    probe: async ({ version }) => {
      const address = localAddress(parts.socketFd);
      const failure = address
        ? await probe(address, version)
        : fail('UPDATE_PROBE_FAILED', 'The address of the socket is not known.').failure;
      return { kind: 'probed', failure };
    },
    check: async ({ record }, { signal }) => {
      const askOf = (file: string, args: readonly string[]) =>
        ask(parts, file, args, signal, CHECK_LIMIT_MS);
      const checked = await checkInstalled(askOf, program, record.to?.digest ?? '');
      return { kind: 'checked', ...checked };
    },
    execute: () => parts.becomeTarget(),
    'restore-program': async ({ record }) =>
      settle(await restoreProgram(programParts(record), record), () => ({
        kind: 'program-restored',
      })),
    'settle-database': async ({ record }, { signal }) =>
      settle(
        await settleDatabase(databaseParts(record, signal), record, program.target),
        (restored) => ({ kind: 'database-settled', restored }),
      ),
    'look-for-release': async (_effect, { signal }) => {
      const end = await ask(parts, program.target, ['self-update', 'look'], signal, CHECK_LIMIT_MS);
      return { kind: 'looked', found: end.ok && end.value === true };
    },
  };
}

function settle<T>(outcome: Outcome<T>, then: (value: T) => UpdateEvent): UpdateEvent {
  return outcome.ok ? then(outcome.value) : failed(outcome.failure);
}

function failed(failure: Failure): UpdateEvent {
  return { kind: 'act-failed', failure };
}

/** What runs: its content decides, the rest is known from when it was installed. */
async function identify({ program, bulk, own, lastGood }: ActParts): Promise<ReleaseIdentity> {
  const digest = await bulk.hash(program.target);
  const known = lastGood();
  if (known?.digest === digest) return known;
  return { version: own.version, digest, generation: null, tag: null, commit: own.commit };
}

async function stage(
  parts: ActParts,
  order: Omit<StagerOrder, 'target'>,
  signal: AbortSignal,
  post: (event: UpdateEvent) => void,
): Promise<UpdateEvent> {
  const { program, paths, files } = parts;
  const { retained } = order;
  const kept = retained && findKept(paths.backupsDir, retained.release.digest, files);
  const full: StagerOrder = {
    ...order,
    target: program.target,
    retained: retained && { ...retained, file: kept?.file ?? '' },
  };
  const end = await runHelper({
    ...programFile(parts),
    args: ['stage-release'],
    environment: helperEnvironment(parts),
    input: JSON.stringify(full),
    timeoutMs: STAGE_LIMIT_MS,
    signal,
    onValue: (value) => {
      const notice = parseStagerNotice(value);
      if (notice?.kind !== 'progress') return;
      const { step, bytes, total } = notice;
      post({ kind: 'staging-progress', step, bytes, total });
    },
  });
  return readStagerEnd(end);
}

function readStagerEnd(end: HelperEnd): UpdateEvent {
  const notice = end.ok ? parseStagerNotice(end.value) : undefined;
  switch (notice?.kind) {
    case 'staged':
    case 'current':
      return { kind: notice.kind, release: notice.release };
    case 'failed':
      return { kind: 'staging-failed', failure: notice.failure };
    default: {
      const detail = end.ok ? 'It ended without a result.' : end.detail;
      return failed({ code: 'UPDATE_STAGING_FAILED', detail });
    }
  }
}

/** The program that does an update's errands: what is installed, or where that is gone the one before. */
function programFile({ program, files }: ActParts): { readonly file: string } {
  return { file: files.facts(program.target)?.isExecutable ? program.target : program.old };
}

/** A helper looks for releases at most; it lets nobody in. */
function helperEnvironment({ environment }: ActParts): NodeJS.ProcessEnv {
  return withoutSecrets(environment, 'PODUP_RELEASE_TOKEN');
}

/** What was cancelled goes no further: no answer of a helper is none that anything may be done upon. */
async function ask(
  parts: ActParts,
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  timeoutMs: number,
): Promise<HelperEnd> {
  const environment = helperEnvironment(parts);
  const end = await runHelper({ file, args, environment, timeoutMs, signal });
  signal.throwIfAborted();
  return end;
}
