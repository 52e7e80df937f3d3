import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { type Installation, type Service, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { until } from '../helpers/until.ts';
import { checkLeftovers, digestOf, quarantined, stateOfRecord } from '../helpers/update-checks.ts';
import { checkProcesses, inWorker, readRecord, readSchema } from './fault-fixture.ts';
import { type CutState, CutUpdate } from './snapshots.ts';

/** What is wrong with the files when the service is started again. */
const FAULTS = {
  'nothing is missing': () => undefined,
  'TARGET.new is gone': ({ program }) => rmSync(program.staged),
  'TARGET.new is cut off': ({ program }) => truncateSync(program.staged, 10_000),
  'TARGET.new is not executable': ({ program }) => chmodSync(program.staged, 0o644),
  'TARGET.old is gone': ({ program }) => rmSync(program.old),
  'TARGET.old and the kept program are gone': (installation) => {
    rmSync(installation.program.old);
    rmSync(keptIn(installation, 'program'));
  },
  'TARGET is gone': ({ program }) => rmSync(program.target),
  'TARGET is empty': ({ program }) => truncateSync(program.target, 0),
  'TARGET is cut off': ({ program }) => truncateSync(program.target, 10_000),
  'TARGET is not executable': ({ program }) => chmodSync(program.target, 0o644),
  'the folder of the backup is gone': (installation) =>
    rmSync(keptIn(installation, ''), { recursive: true }),
} as const satisfies Record<string, (installation: Installation) => void>;

/** A case: where the update was cut off, what is missing, and how the new version is. */
export type MissingFile = {
  readonly state: CutState;
  readonly fault: keyof typeof FAULTS;
  /** `refuses`: before it has touched the database. `dies`: after. */
  readonly newVersion?: 'good' | 'refuses' | 'dies';
  readonly end: 'committed' | 'rolled-back' | 'held';
  /** Why it goes back or is held. */
  readonly code?: ErrorCode;
  /** Whether the new version is to blame; left out where it could be disputed. */
  readonly isBlamed?: boolean;
};

const OFFER = {
  break: `migration:${NEXT_MIGRATION}:must-not-run`,
  prologue: inWorker(`{
    const has = (name) => require('node:fs').existsSync(process.env.HOME + '/new-version-' + name);
    if (has('refuses')) process.exit(78);
    if (has('dies')) {
      const send = process.send.bind(process);
      process.send = (message, ...rest) => message.kind === 'worker-ready' ? process.exit(78) : send(message, ...rest);
    }
  }`),
} as const;

/** Goes through the cases, each from the same update that was cut off. */
export function describeMissingFiles(title: string, cases: readonly MissingFile[]): void {
  describe(title, () => {
    let cut: CutUpdate;
    before(async () => {
      cut = await CutUpdate.make(OFFER);
    });
    after(() => cut[Symbol.asyncDispose]());
    for (const each of cases) {
      const { state, fault, newVersion = 'good', end } = each;
      const and = newVersion === 'good' ? '' : ` and the new version ${newVersion}`;
      test(`cut off while ${state}, ${fault}${and}: ${end}`, () => checkCase(cut, each));
    }
  });
}

async function checkCase(cut: CutUpdate, each: MissingFile): Promise<void> {
  const { installation } = cut;
  const { state, fault, newVersion = 'good', end, code, isBlamed } = each;
  cut.putBack(state);
  FAULTS[fault](installation);
  for (const name of ['refuses', 'dies']) {
    rmSync(join(installation.folder, `new-version-${name}`), { force: true });
  }
  writeFileSync(join(installation.folder, `new-version-${newVersion}`), '');
  const service = installation.start();
  try {
    const ended = await waitForEnd(installation, service);
    assert.equal(ended.end, end, service.output);
    if (code) assert.equal(ended.code, code);
    if (end !== 'held') await checkServing(installation, service, end);
    if (isBlamed !== undefined) assert.equal(quarantined(installation).length > 0, isBlamed);
  } finally {
    await service.end();
    await checkProcesses(installation);
  }
}

/** How the update ends, and why. */
async function waitForEnd(installation: Installation, service: Service) {
  const { updateRecord } = installation.paths;
  const isHeld = await until('the end of the update', UPDATE_PATIENCE_MS, () => {
    if (service.child.exitCode !== null) throw new Error(`it has ended:\n${service.output}`);
    if (!existsSync(updateRecord)) return 'closed';
    return stateOfRecord(updateRecord) === 'held' && 'held';
  });
  if (isHeld === 'held') {
    // What the new version is blamed for stands in the failure.
    const { failure, warnings } = readRecord(installation);
    return { end: 'held', code: warnings.at(-1)?.split(':')[0] ?? failure?.code };
  }
  const { outcome, failure } = installation.history().at(-1) ?? assert.fail();
  return { end: outcome, code: failure?.code };
}

/** The version serves, lies at the target, and has its own database. */
async function checkServing(
  installation: Installation,
  service: Service,
  end: 'committed' | 'rolled-back',
): Promise<void> {
  const isNew = end === 'committed';
  await service.ready();
  assert.equal(await service.version(), isNew ? '1.1.0' : '1.0.0');
  const [{ from, to } = assert.fail()] = installation.history();
  assert.equal(digestOf(installation.program.target), (isNew ? to : from)?.digest);
  assert.equal(readSchema(installation), isNew ? NEXT_MIGRATION : NEXT_MIGRATION - 1);
  checkLeftovers(installation);
}

/** The only folder of backups, or what lies in it. */
function keptIn({ paths }: Installation, name: string): string {
  const [folder = ''] = readdirSync(paths.backupsDir);
  return join(paths.backupsDir, folder, name);
}
