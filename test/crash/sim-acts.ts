import { dirname } from 'node:path';
import { fail, type Outcome } from '../../shared/contract/outcome.ts';
import type { UpdateRecord } from '../../shared/contract/update-record.ts';
import { renameDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import {
  type AskProgram,
  backUp,
  type DatabaseParts,
  inspect,
  putBack,
  settleDatabase,
} from '../../supervisor/acts/database-acts.ts';
import type { Acts, EffectOf } from '../../supervisor/acts/perform-act.ts';
import type { UpdateEvent } from '../../supervisor/core/update/machine.ts';
import { findKept } from '../../supervisor/release/kept-programs.ts';
import {
  keepProgram,
  type ProgramParts,
  restoreProgram,
  switchProgram,
} from '../../supervisor/release/program-files.ts';
import type { Facts } from './sim-facts.ts';
import type { SimFs } from './sim-fs.ts';
import { PATHS, PROGRAM } from './sim-paths.ts';
import {
  databaseText,
  identityOf,
  mayRunOn,
  type Program,
  parseProgram,
  programText,
  readDatabase,
} from './sim-programs.ts';

/** What the acts of a simulated supervisor work with. */
export type SimActParts = {
  readonly fs: SimFs;
  readonly facts: Facts;
  readonly own: Program;
  readonly troubleOf: (program: Program) => Program['trouble'];
  readonly lastGood: () => UpdateRecord['from'] | null;
  /** The version that answers on the socket, with its trouble; undefined where none does. */
  readonly serving: () => Program | undefined;
  readonly becomeTarget: () => Promise<UpdateEvent>;
};

/** The acts of `createActs`, over a simulated disk and with simulated programs as helpers. */
export function createSimActs(parts: SimActParts): Acts {
  const { fs, facts } = parts;
  const programParts = ({ txn }: UpdateRecord): ProgramParts => ({
    program: PROGRAM,
    folder: `${PATHS.backupsDir}/${txn}`,
    files: fs,
    bulk: fs.bulk,
  });
  const databaseParts = ({ txn }: UpdateRecord): DatabaseParts => ({
    database: PATHS.database,
    folder: `${PATHS.backupsDir}/${txn}`,
    files: fs,
    bulk: fs.bulk,
    ask: askIn(parts),
    clearOpeners: () => [],
  });
  return {
    identify: async ({ version }) => {
      const digest = await fs.bulk.hash(PROGRAM.target);
      const known = parts.lastGood();
      const own = { ...identityOf(parts.own), digest };
      return {
        kind: 'identified',
        from: known?.digest === digest ? known : own,
        retained: version === null ? null : findKept(PATHS.backupsDir, version, fs),
      };
    },
    stage: async (effect) => stage(parts, effect),
    'inspect-staged': async () => {
      const { isFit, detail } = await inspect({ ask: askIn(parts) }, PROGRAM.staged);
      return { kind: 'inspected', compatible: isFit, detail };
    },
    'back-up': async ({ record }) => {
      await keepProgram(programParts(record), record);
      const backup = await backUp(databaseParts(record), [PROGRAM.target, PROGRAM.staged]);
      return then(backup, (value) => ({ kind: 'backed-up', backup: value }));
    },
    'switch-program': async ({ record }) =>
      then(await switchProgram(programParts(record), record), () => ({ kind: 'switched' })),
    'restore-wanted': async ({ record }) => {
      const { wanted } = record.database;
      if (!wanted) return { kind: 'wanted-restored' };
      const put = await putBack(databaseParts(record), wanted, PROGRAM.target, 'given-up');
      return then(put, () => ({ kind: 'wanted-restored' }));
    },
    probe: async ({ version }) => {
      const serving = parts.serving();
      const isGood = serving?.version === version && parts.troubleOf(serving) !== 'fails-probes';
      const { failure } = fail('UPDATE_PROBE_FAILED', 'No good answer.');
      return { kind: 'probed', failure: isGood ? null : failure };
    },
    check: async () => {
      const installed = parseProgram(fs.text(PROGRAM.target) ?? '');
      const isBad = !installed || parts.troubleOf(installed) === 'fails-check';
      const { failure } = fail('UPDATE_CHECK_FAILED', 'own-files');
      return { kind: 'checked', failure: isBad ? failure : null, warnings: [] };
    },
    execute: () => parts.becomeTarget(),
    'restore-program': async ({ record }) =>
      then(await restoreProgram(programParts(record), record), () => ({
        kind: 'program-restored',
      })),
    'settle-database': async ({ record }) =>
      then(await settleDatabase(databaseParts(record), record, PROGRAM.target), (restored) => ({
        kind: 'database-settled',
        restored,
      })),
    'look-for-release': async () => ({ kind: 'looked', found: facts.offer !== null }),
  };
}

function then<T>(outcome: Outcome<T>, toEvent: (value: T) => UpdateEvent): UpdateEvent {
  return outcome.ok ? toEvent(outcome.value) : { kind: 'act-failed', failure: outcome.failure };
}

/** `db-backup` and `db-inspect` of the program in a file. */
function askIn({ fs, troubleOf }: SimActParts): AskProgram {
  return async (file, [command, to = '']) => {
    const asked = fs.facts(file)?.isExecutable ? parseProgram(fs.text(file) ?? '') : undefined;
    if (!asked || troubleOf(asked) === 'no-helpers') return { ok: false, detail: 'It cannot.' };
    const database = readDatabase(fs, PATHS.database);
    if (command === 'db-inspect') {
      const value = {
        exists: database !== undefined,
        schema: database?.schema ?? null,
        compatible: !database || mayRunOn(asked, database),
        sound: database !== null,
        detail: '',
      };
      return { ok: true, value };
    }
    if (database === null || troubleOf(asked) === 'cannot-back-up') {
      return { ok: false, detail: 'It is broken.' };
    }
    if (!database)
      return { ok: true, value: { kind: 'none', sha256: null, bytes: 0, schema: null } };
    const content = databaseText(database);
    writeFileDurably(to, content, 0o600, fs);
    const sha256 = await fs.bulk.hash(to);
    const value = { kind: 'copy', sha256, bytes: content.length, schema: database.schema };
    return { ok: true, value };
  };
}

/** The stager: picks, verifies, and leaves the program beside the target. */
async function stage(
  { fs, facts }: SimActParts,
  { order }: EffectOf<'stage'>,
): Promise<UpdateEvent> {
  const { retained, current, quarantine } = order;
  const kept = retained && findKept(PATHS.backupsDir, retained.release.digest, fs);
  const text = kept ? fs.text(kept.file) : facts.offer && programText(facts.offer);
  const chosen = parseProgram(text ?? '');
  if (!text || !chosen) {
    return { kind: 'staging-failed', failure: fail('RELEASE_NOT_FOUND', '').failure };
  }
  const release = retained?.release ?? identityOf(chosen);
  if (release.digest === current.digest) return { kind: 'current', release };
  if (quarantine.includes(release.digest) && !order.force) {
    return { kind: 'staging-failed', failure: fail('RELEASE_QUARANTINED', '').failure };
  }
  fs.unlink(PROGRAM.partial);
  const file = fs.create(PROGRAM.partial, 0o755);
  fs.write(file, Buffer.from(text, 'latin1'));
  fs.sync(file);
  fs.close(file);
  renameDurably(PROGRAM.partial, PROGRAM.staged, fs);
  fs.syncDirectory(dirname(PROGRAM.staged));
  return { kind: 'staged', release };
}
