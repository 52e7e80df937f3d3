import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { recordedDeliveries, startClients } from '../helpers/clients.ts';
import { type Installation, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import { hasEnded } from '../helpers/processes.ts';
import { NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { until } from '../helpers/until.ts';
import { digestOf, quarantined } from '../helpers/update-checks.ts';
import {
  Host,
  inRole,
  inWorker,
  type Offer,
  onReady,
  readContent,
  readSchema,
} from './fault-fixture.ts';

const OLD_SCHEMA = NEXT_MIGRATION - 1;
const FORBIDDING = `migration:${NEXT_MIGRATION}:must-not-run` as const;
const ALLOWING = `migration:${NEXT_MIGRATION}:may-run` as const;
/** Fails where there are deliveries: on a host, but not in the self-check. */
const FAILS_HERE =
  `migration:${NEXT_MIGRATION + 1}:may-run:CREATE TEMP TABLE a AS SELECT CASE WHEN EXISTS (SELECT 1 FROM deliveries) THEN abs(-9223372036854775808) END` as const;

/** A process that has the database open until it is killed. The words behind it are for who looks at its command line. */
const STAY_OPEN = `require('node:fs').openSync(process.env.PODUP_STATE_DIR + '/data/pod-upgrade-trigger.db'); console.log('open'); setInterval(() => {}, 60000);`;

/** Changes one byte of what was staged and verified, while the database is copied. */
const FLIP_STAGED = inRole(
  'db-backup',
  `{
  const fs = require('node:fs');
  const file = process.env.PODUP_TARGET_BIN + '.new';
  if (fs.existsSync(process.env.HOME + '/flip')) {
    const bytes = fs.readFileSync(file);
    bytes[bytes.length >> 1] ^= 1;
    fs.writeFileSync(file, bytes);
  }
}`,
);

describe('the database of an update that goes back', () => {
  let host: Host;
  let installation: Installation;
  before(async () => {
    host = await Host.start({ first: { prologue: FLIP_STAGED } });
    installation = host.installation;
  });
  after(() => host[Symbol.asyncDispose]());

  test('is put back where the old version could not run on it; what came in meanwhile is in it, each once', async () => {
    const { end, acknowledged } = await tryWithClients(host, {
      break: [FORBIDDING, 'killed-after-ms:250'],
    });
    assert.deepEqual([end.outcome, end.failure?.code], ['rolled-back', 'UPDATE_START_FAILED']);
    assert.equal(end.databaseRestored, true);
    assert.equal(readSchema(installation), OLD_SCHEMA);
    await checkRecorded(installation, acknowledged);
  });

  test('is put back after the second of two migrations has failed', async () => {
    const was = readContent(installation);
    const { outcome, databaseRestored } = await host.install({ break: [FORBIDDING, FAILS_HERE] });
    assert.deepEqual([outcome, databaseRestored], ['rolled-back', true]);
    assert.deepEqual(readContent(installation), was);
  });

  test('is as it was after each try was killed in the middle of a migration', async () => {
    const was = readContent(installation);
    const { now } = host;
    const { outcome, failure } = await host.install({
      break: 'slow-migration:20000',
      prologue: inWorker(`setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1000);`),
    });
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_START_FAILED']);
    assert.match(failure?.detail ?? '', /SIGKILL/);
    const starts = host.service.lines.slice(now).filter(({ msg }) => msg === 'worker started');
    assert.equal(starts.length, 4);
    assert.deepEqual(readContent(installation), was);
  });

  test('is put back although a process that the new version has left behind has it open', async () => {
    const { now } = host;
    const { outcome, databaseRestored } = await host.install({
      break: FORBIDDING,
      prologue: onReady(`
        const words = ['-e', ${JSON.stringify(STAY_OPEN)}, process.env.PODUP_TARGET_BIN];
        const child = require('node:child_process').spawn(process.execPath, words, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
        child.stdout.once('data', () => {
          console.log(JSON.stringify({ msg: 'left behind', pid: child.pid }));
          process.exit(78);
        });
        return true;`),
    });
    assert.deepEqual([outcome, databaseRestored], ['rolled-back', true]);
    const { pid } = await host.service.logged(({ msg }) => msg === 'left behind', now);
    assert.ok(hasEnded(Number(pid)), 'it was ended');
    assert.equal(readSchema(installation), OLD_SCHEMA);
  });

  test('is not touched while a process of somebody else has it open, which is named; then resume ends it', async () => {
    const stranger = await openDatabase(installation);
    try {
      const { now } = host;
      const { tag } = await host.offer({
        break: FORBIDDING,
        prologue: onReady('process.exit(78);'),
      });
      const { txn } = await installation.ask({ command: 'run', tag, force: true });
      await host.reached('held', now);
      const { warnings, failure } = host.record();
      assert.equal(failure?.code, 'UPDATE_CONFIG_REJECTED');
      assert.match(
        warnings.at(-1) ?? '',
        new RegExp(`^UPDATE_RESTORE_FAILED.*process ${stranger.pid} `),
      );
      assert.equal(readSchema(installation), NEXT_MIGRATION);
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
      await installation.ask({ command: 'resume' });
      const { outcome, databaseRestored } = await installation.finished(txn ?? '');
      assert.deepEqual([outcome, databaseRestored], ['rolled-back', true]);
      assert.equal(readSchema(installation), OLD_SCHEMA);
      assert.equal(await host.service.version(), '1.0.0');
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('is not touched where the staged program was changed after it was verified: nothing is exchanged', async () => {
    const flip = join(installation.folder, 'flip');
    const was = [digestOf(installation.program.target), readContent(installation)];
    writeFileSync(flip, '');
    const { outcome, failure, to } = await host.install({ break: FORBIDDING });
    rmSync(flip);
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_SWAP_FAILED']);
    assert.deepEqual([digestOf(installation.program.target), readContent(installation)], was);
    assert.equal(quarantined(installation).includes(to?.digest ?? ''), false, 'it is not to blame');
    assert.equal(await host.service.version(), '1.0.0');
  });

  test('stays as it is where the old version may run on it, with all that came in meanwhile', async () => {
    const { end, acknowledged } = await tryWithClients(host, {
      break: [ALLOWING, 'crash-after-ms:200'],
    });
    assert.deepEqual([end.failure?.code, end.databaseRestored], ['UPDATE_START_FAILED', false]);
    assert.equal(readSchema(installation), NEXT_MIGRATION);
    await checkRecorded(installation, acknowledged);
  });
});

/** Tries a bad release while clients post; what was accepted meanwhile. */
async function tryWithClients(host: Host, offer: Offer) {
  const clients = startClients(host.service, 4);
  const end = await host.install(offer).finally(() => clients.stop());
  const { acknowledged } = clients.tally;
  assert.ok(acknowledged.length > 20, `${acknowledged.length} deliveries`);
  return { end, acknowledged };
}

/** All of them are in the database, each once. */
async function checkRecorded({ paths }: Installation, acknowledged: readonly string[]) {
  const wrong = () => {
    const recorded = recordedDeliveries(paths.stateDir);
    return acknowledged.filter((delivery) => recorded.get(delivery) !== 1);
  };
  await until('each delivery is recorded', UPDATE_PATIENCE_MS, () => wrong().length === 0).catch(
    () => assert.deepEqual(wrong(), []),
  );
}

async function openDatabase({ environment }: Installation): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', STAY_OPEN, 'stranger'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}
